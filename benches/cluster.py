#!/usr/bin/env python3
"""Fills a test cluster with nodes and pods, by writing them as JSON into etcd below the API server.

    cluster.py ETCD_PORT NODES PODS
"""

import base64
import http.client
import json
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

BATCH = 100  # etcd's JSON gateway allows 128 operations in one transaction
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def ago(**span):
    return (NOW - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def uid(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def node(n):
    """A node as large as real ones are: the kubelet's labels, conditions and a list of images."""
    name = f"worker-{n:05}"
    heartbeat = ago(seconds=30)
    conditions = [
        {"type": t, "status": s, "reason": r, "message": m, "lastHeartbeatTime": heartbeat, "lastTransitionTime": ago(days=9)}
        for t, s, r, m in [
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]
    ]
    resources = {"cpu": "16", "memory": "65806536Ki", "ephemeral-storage": "103880232Ki", "pods": "110"}
    images = [
        {"names": [f"registry.example.com/team-{i}/service@sha256:{uid(f'{i}')*2}", f"registry.example.com/team-{i}/service:v1.{i}"],
         "sizeBytes": 100000000 + i}
        for i in range(40)
    ]
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": uid(name), "creationTimestamp": ago(days=10),
            "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": "m6i.4xlarge",
                "topology.kubernetes.io/region": "eu-central-1",
                "topology.kubernetes.io/zone": f"eu-central-1{'abc'[n % 3]}",
                "pool": f"pool-{n % 10}",
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "300", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {
            "podCIDR": f"10.{n // 256 % 256}.{n % 256}.0/24", "providerID": f"aws:///eu-central-1a/i-{n:017x}",
            "taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}] if n % 5 == 0 else [],
        },
        "status": {
            "capacity": resources, "allocatable": resources, "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": f"10.0.{n // 256 % 256}.{n % 256}"}, {"type": "Hostname", "address": name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": uid(name), "systemUUID": uid(name), "bootID": uid(name), "kernelVersion": "6.8.0-1021-aws",
                "osImage": "Ubuntu 24.04.1 LTS", "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": "v1.36.3", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            },
            "images": images,
        },
    }


def container_status(state, ready, restarts=0, last=None):
    return {
        "name": "app", "state": state, "lastState": last or {}, "ready": ready, "restartCount": restarts, "started": ready,
        "image": "registry.example.com/shop/api:v1.27.3", "imageID": f"registry.example.com/shop/api@sha256:{uid('i')*2}",
        "containerID": f"containerd://{uid('c')*2}" if ready else "",
    }


def pod(n, nodes):
    """One pod in a hundred is not fine: a third each of pulls, crashes and pods that fit nowhere."""
    namespace, app = f"team-{n % 50}", f"service-{n % 1000}"
    name = f"{app}-7d9f8b6c5d-{n:05}"
    bad = n % 100 == 17
    kind = n // 100 % 3 if bad else None
    pending = kind == 2
    labels = {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": app, "pod-template-hash": "7d9f8b6c5d", "team": namespace}
    created = ago(hours=5, minutes=n % 60)
    if kind == 0:
        state = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry.example.com/shop/api:v1.27.3": '
                 'ErrImagePull: failed to pull and unpack image "registry.example.com/shop/api:v1.27.3": failed to resolve reference: '
                 "registry.example.com/shop/api:v1.27.3: not found"}}
        statuses = [container_status(state, False)]
    elif kind == 1:
        ended = {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": ago(minutes=2), "finishedAt": ago(minutes=1), "containerID": "containerd://x"}}
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app pod=x"}}
        statuses = [container_status(state, False, 40, ended)]
    elif pending:
        statuses = []
    else:
        statuses = [container_status({"running": {"startedAt": created}}, True)]
    ready = "True" if not bad else "False"
    conditions = [{"type": t, "status": s, "lastProbeTime": None, "lastTransitionTime": created} for t, s in
                  [("PodReadyToStartContainers", "True"), ("Initialized", "True"), ("Ready", ready), ("ContainersReady", ready), ("PodScheduled", "True")]]
    if pending:
        conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastProbeTime": None, "lastTransitionTime": created,
                       "message": f"0/{nodes} nodes are available: {nodes} Insufficient memory. preemption: not helpful"}]
    status = {"phase": "Pending" if kind in (0, 2) else "Running", "conditions": conditions, "qosClass": "Burstable"}
    if not pending:
        address = f"10.{n // 65536 % 256}.{n // 256 % 256}.{n % 256}"
        status |= {"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.1"}], "podIP": address, "podIPs": [{"ip": address}],
                   "startTime": created, "containerStatuses": statuses}
    mount = {"name": "kube-api-access-x", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    spec = {
        "containers": [{
            "name": "app", "image": "registry.example.com/shop/api:v1.27.3", "imagePullPolicy": "IfNotPresent",
            "args": ["serve", "--listen=:8080", "--log-format=json"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": f"SETTING_{i}", "value": f"value-{i}"} for i in range(10)],
            "resources": {"requests": {"cpu": "100m", "memory": "999Gi" if pending else "256Mi"}, "limits": {"memory": "999Gi" if pending else "512Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10,
                               "successThreshold": 1, "failureThreshold": 3},
            "volumeMounts": [mount], "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }],
        "volumes": [{"name": "kube-api-access-x", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}],
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
        "serviceAccount": "default", "securityContext": {}, "schedulerName": "no-scheduler", "priority": 0, "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": [{"key": f"node.kubernetes.io/{t}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for t in ("not-ready", "unreachable")],
    }
    if not pending:
        spec["nodeName"] = f"worker-{n % nodes:05}"
    managed = [{"manager": m, "operation": "Update", "apiVersion": "v1", "time": created, "fieldsType": "FieldsV1",
                "fieldsV1": {"f:status": {f"f:field{i}": {"f:lastTransitionTime": {}, "f:status": {}, "f:type": {}} for i in range(8)}}}
               for m in ("kube-controller-manager", "kubelet")]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid(name), "creationTimestamp": created, "generateName": f"{app}-7d9f8b6c5d-",
            "labels": labels, "managedFields": managed,
            # Owned by what no controller knows: nothing in the test cluster acts on these pods.
            "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "Fleet", "name": app, "uid": uid(app), "controller": True, "blockOwnerDeletion": False}],
        },
        "spec": spec, "status": status,
    }


def shop(nodes):
    """A Deployment's pod that cannot pull its image, with its owners and events, a pod that fits nowhere, and one that finds no
    room on the nodes of its selector, a tenth of all."""
    owner = lambda o: [{"apiVersion": o["apiVersion"], "kind": o["kind"], "name": o["metadata"]["name"], "uid": o["metadata"]["uid"],
                        "controller": True, "blockOwnerDeletion": True}]
    labels = {"app": "api", "pod-template-hash": "7d9f8b6c5d"}
    meta = lambda name, **more: {"name": name, "namespace": "shop", "uid": uid(name), "creationTimestamp": ago(minutes=50), **more}
    template = lambda p: {"metadata": {"labels": labels}, "spec": {k: v for k, v in p["spec"].items() if k != "nodeName"}}
    pulling, pending, selecting = pod(17, nodes), pod(217, nodes), pod(217, nodes)
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("api", labels=labels),
                  "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "api"}}, "template": template(pulling)}, "status": {"replicas": 1}}
    rs = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("api-7d9f8b6c5d", labels=labels, ownerReferences=owner(deployment)),
          "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template(pulling)}, "status": {"replicas": 1}}
    pulling["metadata"] = meta("api-7d9f8b6c5d-x2k4q", labels=labels, ownerReferences=owner(rs))
    pending["metadata"] = meta("unschedulable", labels={"app": "big"})
    selecting["metadata"] = meta("selecting", labels={"app": "selecting"})
    selecting["spec"]["nodeSelector"] = {"pool": "pool-3"}
    selecting["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "16"}}
    few = nodes // 10
    selecting["status"]["conditions"][0]["message"] = (
        f"0/{nodes} nodes are available: {few} Insufficient cpu, {nodes - few} node(s) didn't match Pod's node affinity/selector. preemption: not helpful")
    message = pulling["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    said = [(pulling, "Normal", "Scheduled", "Successfully assigned shop/api to worker-00001", "default-scheduler"),
            (pulling, "Normal", "Pulling", 'Pulling image "registry.example.com/shop/api:v1.27.3"', "kubelet"),
            (pulling, "Warning", "Failed", message, "kubelet"), (pulling, "Warning", "BackOff", message, "kubelet"),
            (pending, "Warning", "FailedScheduling", pending["status"]["conditions"][0]["message"], "default-scheduler"),
            (selecting, "Warning", "FailedScheduling", selecting["status"]["conditions"][0]["message"], "default-scheduler")]
    events = [{"apiVersion": "v1", "kind": "Event", "type": kind, "reason": reason, "message": text, "count": 3, "source": {"component": source},
               "metadata": meta(f"{o['metadata']['name']}.{n}"), "firstTimestamp": ago(minutes=49), "lastTimestamp": ago(minutes=1),
               "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": o["metadata"]["name"], "uid": o["metadata"]["uid"]}}
              for n, (o, kind, reason, text, source) in enumerate(said)]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("default")}
    return [namespace("shop"), account, deployment, rs, pulling, pending, selecting, *events]


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": uid(f"ns{name}"), "creationTimestamp": ago(days=10)},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


FOLDERS = {"Node": "minions", "Namespace": "namespaces", "Pod": "pods", "ServiceAccount": "serviceaccounts", "Event": "events", "Deployment": "deployments", "ReplicaSet": "replicasets"}


def key(o):
    """Where the API server keeps it."""
    meta = o["metadata"]
    return "/".join(["/registry", FOLDERS[o["kind"]], *filter(None, [meta.get("namespace"), meta["name"]])])


def put(port, objects):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for start in range(0, len(objects), BATCH):
        operations = [
            {"requestPut": {"key": base64.b64encode(key(o).encode()).decode(), "value": base64.b64encode(json.dumps(o).encode()).decode()}}
            for o in objects[start:start + BATCH]
        ]
        connection.request("POST", "/v3/kv/txn", json.dumps({"success": operations}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or b'"succeeded":true' not in body:
            sys.exit(f"etcd: {body.decode()}")


def fill(port, nodes, pods=0, first_node=0):
    """Adds nodes from a number to another, and pods from 0."""
    put(port, [node(n) for n in range(first_node, nodes)] + shop(nodes) + [namespace(f"team-{i}") for i in range(50)])
    step = 2000
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda first: put(port, [pod(n, nodes) for n in range(first, min(first + step, pods))]), range(0, pods, step)))


if __name__ == "__main__":
    fill(*(int(word) for word in sys.argv[1:4]))

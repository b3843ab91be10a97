//! What a pod asks of a node's resources, as the scheduler counts it.
//!
//! Source: `k8s.io/component-helpers/resource/helpers.go`, `PodRequests`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::facts::Quantity;

/// The resources that a pod requests more than nothing of, in the order in which they are told: cpu, memory,
/// ephemeral-storage, then the others by name.
pub(super) fn requests(pod: &Value) -> Vec<(String, Quantity)> {
    let containers = ["containers", "initContainers"].into_iter().flat_map(|list| items(pod, &["spec", list]));
    let maps = containers
        .filter_map(|c| c.pointer("/resources/requests"))
        .chain(pod.pointer("/spec/resources/requests"))
        .chain(pod.pointer("/spec/overhead"));
    let names: BTreeSet<&str> = maps.filter_map(Value::as_object).flatten().map(|(name, _)| name.as_str()).collect();
    let mut requests: Vec<(String, Quantity)> = names
        .into_iter()
        .map(|name| (name.to_owned(), request(pod, name)))
        .filter(|(_, amount)| !amount.is_zero() && !amount.is_negative())
        .collect();
    requests.sort_by_key(|(name, _)| match name.as_str() {
        "cpu" => 0,
        "memory" => 1,
        "ephemeral-storage" => 2,
        _ => 3,
    });
    requests
}

/// How much of one resource a pod takes on its node: all app containers and sidecars together, or if that is more, what is
/// needed while the init containers run; the pod's own request instead, if it makes one; and the overhead of its
/// RuntimeClass.
pub(super) fn request(pod: &Value, resource: &str) -> Quantity {
    let infeasible = items(pod, &["status", "conditions"]).any(|c| {
        let is = |key: &str, wanted: &str| c.get(key).and_then(Value::as_str) == Some(wanted);
        is("type", "PodResizePending") && is("reason", "Infeasible")
    });
    let of = |list: &str, statuses: &str| -> Vec<(bool, Quantity)> {
        items(pod, &["spec", list])
            .map(|c| {
                let stays = c.get("restartPolicy").and_then(Value::as_str) == Some("Always");
                (stays, of_container(pod, c, statuses, resource, infeasible))
            })
            .collect()
    };
    let apps = of("containers", "containerStatuses").into_iter().fold(Quantity::ZERO, |sum, (_, own)| sum.plus(own));
    let (mut sidecars, mut peak) = (Quantity::ZERO, Quantity::ZERO);
    for (stays, own) in of("initContainers", "initContainerStatuses") {
        peak = peak.max(sidecars.plus(own));
        if stays {
            sidecars = sidecars.plus(own);
        }
    }
    let containers = apps.plus(sidecars).max(peak);
    let for_pods = matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-");
    let pod_level = amount(pod.pointer("/spec/resources/requests"), resource).filter(|_| for_pods).map(|spec| {
        let actual = amount(pod.pointer("/status/resources/requests"), resource).unwrap_or_default();
        let allocated = amount(pod.pointer("/status/allocatedResources"), resource).unwrap_or_default();
        spec.max(actual).max(allocated)
    });
    pod_level.unwrap_or(containers).plus(amount(pod.pointer("/spec/overhead"), resource).unwrap_or_default())
}

/// A container's request. While it is resized in place the larger of what it has and what it is to have counts; a resize that
/// can never be done does not.
fn of_container(pod: &Value, container: &Value, statuses: &str, resource: &str, infeasible: bool) -> Quantity {
    let spec = amount(container.pointer("/resources/requests"), resource).unwrap_or_default();
    let name = container.get("name");
    let Some(status) = items(pod, &["status", statuses]).find(|s| s.get("name") == name) else { return spec };
    let actual = amount(status.pointer("/resources/requests"), resource);
    let allocated = amount(status.get("allocatedResources"), resource);
    match actual.max(allocated) {
        Some(given) if infeasible => given,
        Some(given) => spec.max(given),
        None => spec,
    }
}

fn amount(map: Option<&Value>, resource: &str) -> Option<Quantity> {
    match map?.get(resource)? {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// The items of a list in an object; nothing if it is no list.
pub(super) fn items<'v>(object: &'v Value, path: &[&str]) -> impl Iterator<Item = &'v Value> + use<'v> {
    let list = path.iter().try_fold(object, |here, key| here.get(*key)).and_then(Value::as_array);
    list.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asks(cpu: &str) -> Value {
        json!({"requests": {"cpu": cpu}})
    }

    #[test]
    fn sidecars_add_up_with_apps_and_with_the_init_containers_after_them() {
        let pod = |init: &str| {
            json!({"spec": {
                "initContainers": [{"name": "s", "restartPolicy": "Always", "resources": asks("200m")},
                                   {"name": "i", "resources": asks(init)}],
                "containers": [{"name": "a", "resources": asks("1")}, {"name": "b", "resources": asks("500m")}]}})
        };
        assert_eq!(request(&pod("1"), "cpu").millis(), 1700);
        assert_eq!(request(&pod("2"), "cpu").millis(), 2200);
    }

    #[test]
    fn the_pods_own_request_replaces_that_of_its_containers_and_overhead_comes_on_top() {
        let pod = json!({"spec": {"resources": asks("3"), "overhead": {"cpu": "250m"},
            "containers": [{"name": "a", "resources": asks("1")}]}});
        assert_eq!(request(&pod, "cpu").millis(), 3250);
    }

    #[test]
    fn a_container_that_shrinks_in_place_counts_in_full_until_it_has_shrunk() {
        let pod = json!({"spec": {"containers": [{"name": "a", "resources": asks("1")}]},
            "status": {"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "4"}}]}});
        assert_eq!(request(&pod, "cpu").millis(), 4000);
    }
}

// Command control-plane is Kubernetes' own control plane and kubectl in one
// binary, for tests that need a genuine cluster without a container runtime.
//
// The component is chosen by the base name it was run under (a symlink named
// "kubectl" is kubectl) or, under any other name, by its first argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // kube-apiserver and kube-controller-manager: CronJob time zones

	"go.etcd.io/etcd/server/v3/etcdmain"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl: client auth plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // JSON log format
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // version metric
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var components = []struct {
	name string
	main func()
}{
	{"etcd", func() { etcdmain.Main(os.Args) }},
	{"kube-apiserver", func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) }},
	{"kube-controller-manager", func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) }},
	{"kube-scheduler", func() { os.Exit(cli.Run(scheduler.NewSchedulerCommand())) }},
	{"kubectl", kubectl},
}

// kubectl is cmd/kubectl's main().
func kubectl() {
	logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args)) //nolint:errcheck
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}

func main() {
	dispatch(filepath.Base(os.Args[0]))
	if len(os.Args) > 1 {
		// Every component reads os.Args itself (kubectl's plugin handler too),
		// so the component's name has to become argv[0].
		os.Args = os.Args[1:]
		dispatch(os.Args[0])
	}
	fmt.Fprintln(os.Stderr, "usage: control-plane COMPONENT [ARGUMENT]...\n\nComponents:")
	for _, c := range components {
		fmt.Fprintln(os.Stderr, "  "+c.name)
	}
	os.Exit(2)
}

// dispatch runs the component called name and exits, or returns when there is
// none.
func dispatch(name string) {
	for _, c := range components {
		if c.name == name {
			c.main()
			os.Exit(0)
		}
	}
}

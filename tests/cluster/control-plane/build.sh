#!/bin/sh
# Builds the control plane's binary, once for each content of go.mod, go.sum
# and *.go, and prints the directory that holds it and a symlink for each
# component. Exit code 3: there is no Go here.
set -eu

if ! command -v go >/dev/null 2>&1; then
	echo "build.sh: the test control plane needs the go command (1.26 or newer), and it is not on PATH" >&2
	exit 3
fi

start=$PWD
cd "$(dirname "$0")"

sha256() {
	if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi
}
key=$(cat go.mod go.sum ./*.go | sha256 | cut -c1-16)
dir=${KUBECTL_WHY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-why}/control-plane-$key
case $dir in
/*) ;;
*) dir=$start/$dir ;;
esac
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

build() {
	# Told as Kubernetes' own build tells it: without it the components report
	# no real version and emulate the wrong one.
	version=$(sed -n 's|^[[:space:]]*k8s\.io/kubernetes v|v|p' go.mod)
	major=${version#v}
	minor=${major#*.}
	major=${major%%.*}
	minor=${minor%%.*}
	ldflags='-s -w'
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		ldflags="$ldflags -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
	done

	part=$dir/.control-plane.$$
	trap 'rm -f "$part"' EXIT
	trap 'exit 1' HUP INT TERM
	echo "build.sh: building Kubernetes $version into $dir (five to fifteen minutes the first time)" >&2
	CGO_ENABLED=0 GOWORK=off go build -mod=readonly -buildvcs=false -trimpath \
		-tags grpcnotrace -ldflags "$ldflags" -o "$part" . >&2
	mv -f "$part" "$dir/control-plane"
	echo "build.sh: built" >&2
}

if [ ! -x "$dir/control-plane" ]; then
	# One build at a time where flock is to be had. Without it two callers both
	# build, and the second one's rename puts the same program in its place.
	if command -v flock >/dev/null 2>&1; then
		exec 9>"$dir/.lock"
		flock 9
	fi
	[ -x "$dir/control-plane" ] || build
fi

for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl; do
	[ -L "$dir/$name" ] || ln -s control-plane "$dir/$name" 2>/dev/null || [ -L "$dir/$name" ]
done

echo "$dir"

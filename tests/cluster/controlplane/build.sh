#!/usr/bin/env bash
# Builds the programs of the test control plane, one after the other, into a folder outside the checkout.
#
#   build.sh                  builds what is missing, prints the folder as its last line
#   build.sh PROGRAM...       the same, for these programs only
#   build.sh --folder         prints the folder and builds nothing
#
# The folder is named by a hash of all that decides what is built, so an old one is never used by mistake.
#   GATEWAY_CONTROLPLANE_CACHE   where these folders are (${XDG_CACHE_HOME:-~/.cache}/secure-container-gateway/controlplane)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${GATEWAY_CONTROLPLANE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secure-container-gateway/controlplane}
folder=$cache/$(cat build.sh modules/*/go.mod modules/*/go.sum | sha256sum | cut -c 1-16)

# Programs by module, those first that others wait for.
declare -A package=(
	[kube-apiserver]='kubernetes k8s.io/kubernetes/cmd/kube-apiserver'
	[etcd]='kubernetes go.etcd.io/etcd/server/v3'
	[kubectl]='kubernetes k8s.io/kubernetes/cmd/kubectl'
	[kube-controller-manager]='kubernetes k8s.io/kubernetes/cmd/kube-controller-manager'
	[kube-scheduler]='kubernetes k8s.io/kubernetes/cmd/kube-scheduler'
	[kwok]='kwok sigs.k8s.io/kwok/cmd/kwok'
	[metrics-server]='metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server'
)
programs=(kube-apiserver etcd kubectl kube-controller-manager kube-scheduler kwok metrics-server)

if [[ ${1:-} == --folder ]]; then
	echo "$folder"
	exit
fi
if (($#)); then programs=("$@"); fi

# No C compiler, no other Go than the one installed, no workspace or flags of whoever calls.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-trimpath -buildvcs=false -mod=readonly'

mkdir -p "$folder"
# Two runs at the same time would do the same work twice, and linking kube-apiserver takes 2 GB of memory.
exec {lock}>"$folder/.lock"
flock "$lock"

for i in "${!programs[@]}"; do
	program=${programs[i]}
	if [[ -x $folder/$program ]]; then continue; fi
	read -r module path <<<"${package[$program]:?"$program is no program of the control plane"}"
	echo "$(date +%T) building $program ($((i + 1)) of ${#programs[@]})" >&2
	flags='-s -w'
	if [[ $module == kubernetes ]]; then
		# Without a version at link time, the API server's /version is a placeholder that clients cannot parse.
		version=$(go -C modules/kubernetes list -m -f '{{.Version}}' k8s.io/kubernetes)
		minor=${version#v1.}
		for variables in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
			flags+=" -X $variables.gitVersion=$version -X $variables.gitCommit=$version -X $variables.gitTreeState=clean"
			flags+=" -X $variables.gitMajor=1 -X $variables.gitMinor=${minor%%.*}"
		done
	fi
	go -C "modules/$module" build -ldflags "$flags" -o "$folder/.$program" "$path"
	# Whole or not at all: an interrupted link must not look like a program.
	mv "$folder/.$program" "$folder/$program"
done
echo "$folder"

# What happens next to an object, by the name of its stage: one decision, so that no two stages ever claim the same
# object. A stage calls `pod`, `node` or `address`.
def note($name): .metadata.annotations["simulator.test/" + $name];
def waits($reason): any(.status.containerStatuses[]?; .state.waiting.reason == $reason);
def pullable: all(.spec.containers[], .spec.initContainers[]?; .image | startswith("registry.invalid/") | not);
def slow: note("start-after") != null or note("init-duration") != null or note("init-exit-code") != null;
def running: [.status.containerStatuses[]? | select(.state.running != null) | .name];
def exits:
  if note("crash") != null and note("crash") != "true" then note("crash") as $name | any(running[]; . == $name)
  else note("crash") != null or note("run-for") != null or any(.metadata.ownerReferences[]?; .kind == "Job")
  end;
def readiness: all(.status.containerStatuses[]; .state.running != null) and (any(.status.containerStatuses[]; .ready) == (note("not-ready") == "true"));

def pod:
  if .metadata.deletionTimestamp != null then
    if (.metadata.finalizers // []) == [] then "delete" elif .status.phase == "Running" then "kill" else "none" end
  elif .status.phase == "Pending" then
    if pullable | not then (if waits("ImagePullBackOff") then "none" else "pull-fails" end)
    elif slow and .status.containerStatuses == null then "create"
    elif any(.status.initContainerStatuses[]?; .state.waiting.reason == "CrashLoopBackOff") then "init-restart"
    elif any(.status.initContainerStatuses[]?; .state.running != null and .started == false) then
      (if (note("init-exit-code") // "0") == "0" then "init-next" else "init-exit" end)
    else "start"
    end
  elif .status.phase == "Running" then
    if waits("CrashLoopBackOff") then "restart" elif exits then "exit" elif readiness then "readiness" else "none" end
  else "none"
  end;

def ready: any(.status.conditions[]?; .type == "Ready" and .status == "True");
def down: any(.status.conditions[]?; .type == "Ready" and .status == "False");
def node:
  if note("not-ready") == "true" then (if down then "none" else "node-down" end)
  elif ready then "none"
  else "node-up"
  end;

def address: if .metadata.deletionTimestamp == null and (.status.loadBalancer.ingress // []) == [] then "address" else "none" end;

package specconv

import "github.com/opencontainers/runtime-spec/specs-go"

// hookNames are the members of hooks, in the order in which they are called.
var hookNames = [...]string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// HookNames lists the hooks of config.md, POSIX-platform Hooks, in the order in which they are called.
func HookNames() []string { return append([]string(nil), hookNames[:]...) }

// hooks is config.md, POSIX-platform Hooks.
func (k checker) hooks(h *specs.Hooks) {
	if h == nil {
		return
	}
	lists := [len(hookNames)][]specs.Hook{
		h.Prestart,
		h.CreateRuntime, h.CreateContainer, h.StartContainer, h.Poststart, h.Poststop,
	}
	for n, list := range lists {
		for i := range list {
			k := k.at("hooks."+hookNames[n], i)
			k.absolute("path", list[i].Path)
			k.environ("env", list[i].Env)
			if list[i].Timeout != nil && *list[i].Timeout <= 0 {
				k.bad("timeout", *list[i].Timeout, "must be greater than zero").hint("without a timeout hull waits")
			}
		}
	}
}

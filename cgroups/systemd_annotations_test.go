package cgroups

import (
	"strings"
	"testing"
)

// Who may write annotations, through an engine, would stop the machine or other
// services, or have other processes die with the container.
func TestCVE_2024_3154_AnnotationReachesOutOfTheUnit(t *testing.T) {
	for _, name := range []string{
		"SuccessAction", "FailureAction", "JobTimeoutAction", "StartLimitAction", "RebootArgument", "ExecStart", "ExecStop", "OnFailure",
		"Requires", "BindsTo", "Conflicts", "PropagatesStopTo", "RequiresMountsFor", "Upholds", "PIDs", "PIDFDs", "Slice",
	} {
		list, err := annotated(map[string]string{PropertyAnnotation + name: "'poweroff'"})
		if err == nil || !strings.Contains(err.Error(), "annotations (org.systemd.property."+name+"): acts on other units") {
			t.Errorf("%s became %v, %v", name, list, err)
		}
	}
	for _, name := range []string{"CollectMode", "Description", "MemoryHigh", "KillMode", "OOMPolicy", "After", "Before", "DefaultDependencies"} {
		if _, err := annotated(map[string]string{PropertyAnnotation + name: "'x'"}); err != nil {
			t.Error(err)
		}
	}
}

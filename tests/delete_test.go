package tests

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestDeleteRefusesARunningContainer(t *testing.T) {
	b := newBox(t, runProbe("say", "ready", ",", "pause"))
	b.start().want("ready")
	b.refuse(1, []string{"not stopped", "running"}, "delete", b.id)
	b.wantStatus("running")
	b.must("delete", "--force", b.id)
	b.wantNothingLeft()
}

func TestDeleteForceRemovesWhateverThereIs(t *testing.T) {
	for name, prepare := range map[string]func(*box){
		"created": func(b *box) { b.create() },
		"running": func(b *box) { b.start() },
		"paused":  func(b *box) { b.start(); b.must("pause", b.id) },
		"stopped": func(b *box) { b.edit(runProbe()); b.start(); b.waitStopped() },
		"nothing": func(*box) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, runProbe("ignore", "15", ",", "orphans", "2", ",", "pause"))
			prepare(b)
			b.must("delete", "--force", b.id)
			b.wantNothingLeft()
		})
	}
}

func TestDeleteEndsProcessesThatOutliveTheInit(t *testing.T) {
	needRoot(t, "the host's processes are seen in a procfs of the host's user namespace")
	b := newBox(t, withoutNamespace(specs.PIDNamespace), runProbe("orphans", "3", ",", "say", "ready"))
	l := b.start()
	l.want("ready")
	b.waitStopped()
	b.must("delete", b.id)
	l.rest()
	b.wantNothingLeft()
}

func TestDeleteRefusesACreatedContainer(t *testing.T) {
	b := newBox(t)
	b.create()
	b.refuse(1, []string{"not stopped", "created"}, "delete", b.id)
	b.wantStatus("created")
}

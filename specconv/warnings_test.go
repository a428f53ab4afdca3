package specconv

import (
	"slices"
	"testing"
)

func TestWarnsOfCapabilitiesThatHullHasNot(t *testing.T) {
	c := patched(t, base, `{"process": {"capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": [], "permitted": [], "ambient": [], "inheritable": []}}}`)
	want := []string{`config.json:17:5: process.capabilities.bounding[0] ("CAP_KILL"): is ignored, for hull does not have it itself`}
	if got := c.Warnings(1); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestWarnsOfWhatHasNoEffect(t *testing.T) {
	for patch, want := range map[string][]string{
		`{}`:                      {},
		`{"ociVersion": "1.4.0"}`: {`config.json:9:16: ociVersion ("1.4.0"): is newer than 1.3.0, the version hull was written for`},
		`{"process": {"capabilities": {"bounding": ["CAP_X", "CAP_KILL"], "effective": ["CAP_KILL"], "permitted": [], "ambient": ["CAP_KILL"],
			"inheritable": ["CAP_KILL"]}}}`: {
			`config.json:16:5: process.capabilities.ambient[0] ("CAP_KILL"): is ignored, for it is not permitted and inheritable`,
			`config.json:19:5: process.capabilities.bounding[0] ("CAP_X"): is not a capability that hull knows, and ignored`,
			`config.json:23:5: process.capabilities.effective[0] ("CAP_KILL"): is ignored, for it is not permitted`,
		},
		`{"mounts": [{"destination": "a", "type": "tmpfs"}]}`: {
			`config.json:11:19: mounts[0].destination ("a"): is relative, which is deprecated; it is taken as relative to /`,
		},
		`{"linux": {"seccomp": {"architectures": []}}}`: {
			`config.json:8:14: linux.seccomp: has no defaultAction and no syscalls: there will be no filter`,
		},
		`{"windows": {"layerFolders": 1}, "zos": {}}`: {
			`config.json:23:13: windows: is for another platform, and ignored`,
			`config.json:26:9: zos: is for another platform, and ignored`,
		},
	} {
		c := patched(t, base, patch)
		if got := c.Warnings(^uint64(0)); !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", patch, got, want)
		}
		if err := c.Check(Host{}); err != nil {
			t.Errorf("%s: %v", patch, err)
		}
	}
}

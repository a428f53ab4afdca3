package cli

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestFlagsMayFollowOperands(t *testing.T) {
	for in, want := range map[string]string{
		"hull kill ab --all":                      "hull kill --all ab",
		"hull kill ab KILL -a":                    "hull kill -a ab KILL",
		"hull --root /r kill ab --all":            "hull --root /r kill --all ab",
		"hull --log kill --debug kill ab --all":   "hull --log kill --debug kill --all ab",
		"hull delete ab --force":                  "hull delete --force ab",
		"hull run ab --bundle /b -d":              "hull run --bundle /b -d ab",
		"hull run ab --bundle=/b -d":              "hull run --bundle=/b -d ab",
		"hull run -no-subreaper ab":               "hull run -no-subreaper ab",
		"hull update ab --resources -":            "hull update --resources - ab",
		"hull update --resources - ab":            "hull update --resources - ab",
		"hull update ab --cpu-quota -1":           "hull update --cpu-quota -1 ab",
		"hull create ab --bundle":                 "hull create --bundle ab",
		"hull delete -- --force":                  "hull delete -- --force",
		"hull delete ab -- --force":               "hull delete -- ab --force",
		"hull kill ab -x":                         "hull kill -x ab",
		"hull exec ab ls --all":                   "hull exec ab ls --all",
		"hull exec -t ab ls -t":                   "hull exec -t ab ls -t",
		"hull ps ab -f json":                      "hull ps ab -f json",
		"hull unknown a --b":                      "hull unknown a --b",
		"hull --root":                             "hull --root",
		"hull":                                    "hull",
		"hull --log-format=json --log /l state a": "hull --log-format=json --log /l state a",
	} {
		got := permute(newApp(strings.Fields(in), io.Discard), strings.Fields(in))
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", in, got, want)
		}
	}
}

package specconv

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// everything.json has every member of config.md and config-linux.md that is for Linux.
func TestAcceptsEveryMemberOfTheSpec(t *testing.T) {
	c, err := Load("testdata", "testdata/everything.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(Host{CgroupV2: true}); err != nil {
		t.Error(err)
	}
	if w := c.Warnings(^uint64(0)); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	eachMember(reflect.TypeFor[specs.Spec](), func(name string) {
		if !bytes.Contains(c.Raw, []byte(`"`+name+`":`)) {
			t.Errorf("testdata/everything.json has no member %s", name)
		}
	})
}

// eachMember calls visit for the JSON names of all fields below t that are for Linux.
func eachMember(t reflect.Type, visit func(name string)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		eachMember(t.Elem(), visit)
	case reflect.Struct:
		for f := range t.Fields() {
			if platform := f.Tag.Get("platform"); platform != "" && !strings.Contains(platform, "linux") {
				continue
			}
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				visit(name)
			}
			eachMember(f.Type, visit)
		}
	}
}

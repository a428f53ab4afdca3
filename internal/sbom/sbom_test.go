package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// The test's own binary stands for one to be released.
func TestBillNamesWhatIsInTheBinary(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := write(w, path, "1.2.3", time.Unix(1, 0), libraries{"libseccomp=2.5.4"}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the second is not as the first")
	}
	var doc document
	if err := json.Unmarshal(first.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	want := []string{"stdlib@" + runtime.Version()[2:], "libseccomp@2.5.4"}
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		want = append(want, m.Path+"@"+m.Version)
	}
	for _, name := range want {
		if !slices.ContainsFunc(doc.Packages, func(p pkg) bool { return p.Name+"@"+p.VersionInfo == name }) {
			t.Errorf("%s is missing", name)
		}
	}
	if doc.Packages[0].VersionInfo != "1.2.3" || len(doc.Packages[0].Checksums[0].Value) != 64 || doc.CreationInfo.Created != "1970-01-01T00:00:01Z" {
		t.Errorf("the binary is %+v, made at %s", doc.Packages[0], doc.CreationInfo.Created)
	}
	if len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("%d packages and %d relationships", len(doc.Packages), len(doc.Relationships))
	}
	ids := map[string]bool{documentID: true}
	for _, p := range doc.Packages {
		if ids[p.SPDXID] || p.DownloadLocation == "" || p.License == "" || p.LicenseConcluded == "" || p.Copyright == "" {
			t.Errorf("a field that must be there, or an id of its own, is missing: %+v", p)
		}
		ids[p.SPDXID] = true
	}
	for _, r := range doc.Relationships {
		if !ids[r.Element] || !ids[r.Related] {
			t.Errorf("a relationship of nothing: %+v", r)
		}
	}
}

func TestBillNeedsAGoBinary(t *testing.T) {
	if err := write(&bytes.Buffer{}, "main.go", "", time.Unix(1, 0), nil); err == nil {
		t.Error("the bill of a text was written")
	}
	var l libraries
	if err := l.Set("libseccomp"); err == nil {
		t.Error("a library without a version was taken")
	}
}

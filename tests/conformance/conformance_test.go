package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// project is the table as it is.
func project(t *testing.T) (*table, string) {
	t.Helper()
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	table, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	return table, root
}

func TestEveryStatementHasItsProof(t *testing.T) {
	table, root := project(t)
	for _, p := range table.check(root) {
		t.Error(p)
	}
}

func TestPageIsUpToDate(t *testing.T) {
	table, root := project(t)
	got, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != table.render() {
		t.Errorf("%s is not what its sources say: make conformance", page)
	}
}

const specText = "# <a name=\"top\" />Top\n\nYou MUST go.\n\n```json\nMUST\n```\n\n## Below it\n\nIt **MUST\nNOT** stay, and SHOULD not.\n| `ro` | REQUIRED |\n\n## Nothing\nIt MAY.\n"

const rowsText = `
== a.md#top SUM
MUST: go
  tests: TestOne TestOne/some_words TestOne/SCMP_ACT_ERRNO TestOne/table_key
# a remark
== a.md#below-it SUM
MUST NOT: stay
  v1: TestV1
  v2 why: there is no v2
SHOULD: not stay
  why: nobody does
REQUIRED: ro
  v1: TestOne
  v2: sub/dir.TestOther
`

const testText = `package tests
var kinds = map[string]int{"table key": 1}
func TestOne(t *testing.T) { t.Run("some words", f); use(specs.ActErrno); for range kinds {} }
func TestV1(t *testing.T) { needV1(t) }
func (x) TestMethod(t *testing.T) {}
`

// madeUp is a table of a specification that is made up, with one thing replaced in one of its sources.
func madeUp(t *testing.T, from, to string) *table {
	t.Helper()
	replaced := false
	replace := func(text string) string {
		replaced = replaced || strings.Contains(text, from)
		return strings.Replace(text, from, to, 1)
	}
	original, rows := sections("a.md", specText), rowsText
	for _, s := range original {
		rows = strings.Replace(rows, "SUM", s.sum, 1)
	}
	table := &table{spec: sections("a.md", replace(specText))}
	var err error
	if table.groups, err = parseGroups("a", replace(rows)); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, text := range map[string]string{"tests/one_test.go": replace(testText), "sub/dir/other_test.go": "package dir\nfunc TestOther(t *testing.T) {}\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if table.tests, err = readSuite(root, map[string]string{"specs.ActErrno": "SCMP_ACT_ERRNO"}); err != nil {
		t.Fatal(err)
	}
	if from != "" && !replaced {
		t.Fatalf("there is no %q", from)
	}
	return table
}

func TestFindsTheStatementsOfAText(t *testing.T) {
	var got []string
	for _, s := range sections("a.md", specText) {
		for _, st := range s.statements {
			got = append(got, s.name()+" "+st.keyword+": "+st.text)
		}
	}
	want := []string{
		"a.md#top MUST: You MUST go.", "a.md#below-it MUST NOT: It **MUST", "a.md#below-it SHOULD: NOT** stay, and SHOULD not.",
		"a.md#below-it REQUIRED: | `ro` | REQUIRED |",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNoticesWhateverIsWrong(t *testing.T) {
	if problems := madeUp(t, "", "").checkStatements(); len(problems) > 0 {
		t.Fatalf("the example is wrong itself: %q", problems)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"statement added":        {"It MAY.", "It MUST.", "no rows for a.md#nothing"},
		"statement more":         {"| REQUIRED |", "| REQUIRED | MUST |", "no row for MUST"},
		"statement gone":         {"| REQUIRED |", "", "has only 2 statements"},
		"keyword changed":        {"You MUST go", "You SHOULD go", "a:3: is MUST, where a.md:3 has SHOULD"},
		"text changed":           {"You MUST go", "You MUST stay", "a:2: the text of a.md#top is another one"},
		"row gone":               {"SHOULD: not stay\n  why: nobody does\n", "", "is REQUIRED, where a.md:12 has SHOULD"},
		"section twice":          {"# a remark", "== a.md#top x", "a second time"},
		"section of nothing":     {"# a remark", "== a.md#nothing x", "demands nothing there: a.md#nothing"},
		"no proof, no reason":    {"  why: nobody does\n", "", "a:10: neither a test nor a reason on v1"},
		"no proof on v2":         {"  v2 why: there is no v2\n", "", "neither a test nor a reason on v2"},
		"proof and reason":       {"  why: nobody does", "  tests: TestOne\n  why: nobody does", "both a test and a reason"},
		"no such test":           {"sub/dir.TestOther", "sub/dir.TestNone", "there is no test sub/dir.TestNone"},
		"a method is no test":    {"sub/dir.TestOther", "TestMethod", "there is no test TestMethod"},
		"test was renamed":       {"func TestOne", "func TestTwo", "there is no test TestOne"},
		"no such subtest":        {"TestOne/some_words", "TestOne/other_words", "has no subtest other_words"},
		"subtest was renamed":    {`"table key"`, `"another key"`, "has no subtest table_key"},
		"test of the other side": {"  v2 why: there is no v2", "  v2: TestV1", "TestV1 runs on v1 alone, and is named for v2"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := strings.Join(madeUp(t, c.from, c.to).checkStatements(), "\n")
			if !strings.Contains(problems, c.want) {
				t.Errorf("want %q: %q", c.want, problems)
			}
		})
	}
	moved := madeUp(t, "", "")
	slices.Reverse(moved.groups)
	if problems := moved.checkStatements(); len(problems) != 1 || !strings.Contains(problems[0], "order") {
		t.Errorf("another order: %q", problems)
	}
}

func TestRefusesRowsThatItCannotRead(t *testing.T) {
	for text, want := range map[string]string{
		"MUST: go":                           "a:1: neither a section nor a row",
		"== a.md#top 1\nMUST go":             "a:2: neither a section nor a row",
		"== a.md#top 1\nMUST: go\n  both: x": "a:3: want tests, why",
		"== a.md#top 1\n  tests: TestOne":    "a:2: want tests, why",
		"== a.md#top 1 2":                    "a:1: want == SECTION CHECKSUM",
	} {
		if _, err := parseGroups("a", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q: %v", text, want, err)
		}
	}
}

func TestNoticesTestsThatDidNotRun(t *testing.T) {
	const log = "=== RUN   TestOne\n--- PASS: TestOne (0.10s)\n    --- PASS: TestOne/some_words (0.01s)\n    --- PASS: TestOne/SCMP_ACT_ERRNO (0.01s)\n" +
		"    --- PASS: TestOne/table_key (0.01s)\n"
	const ok = "ok  \thull/tests\t1.2s\n"
	groups := madeUp(t, "", "").groups
	for text, want := range map[string]string{
		log + "--- PASS: TestV1 (0.00s)\n" + ok:                                    "",
		"=== PACKAGE /hull/tests/tests.test\n" + log + "--- PASS: TestV1 (0.0s)\n": "",
		log + ok:                                      "TestV1 did not run on v1",
		log + "--- SKIP: TestV1 (0.00s)\n" + ok:       "TestV1 on v1: SKIP",
		log + "--- FAIL: TestV1 (0.00s)\n" + ok:       "TestV1 on v1: FAIL",
		"ok  \thull/sub/dir\t1.2s\n":                  "",
		"=== PACKAGE /hull/tests/tests.test\npanic\n": "TestOne did not run on v1",
		`{"Action":"pass","Package":"hull/tests","Test":"TestOne"}` + "\n" + `{"Action":"skip","Package":"hull/tests","Test":"TestV1"}`: "TestV1 on v1: SKIP",
	} {
		problems := strings.Join(ran(groups, "v1", readLog(text, "hull")), "\n")
		if want == "" && problems != "" || !strings.Contains(problems, want) {
			t.Errorf("%q: want %q: %q", text, want, problems)
		}
	}
	if problems := ran(groups, "v2", readLog("ok  \thull/sub/dir\t1.2s\n", "hull")); len(problems) != 1 || !strings.Contains(problems[0], "sub/dir.TestOther did not run on v2") {
		t.Errorf("got %q", problems)
	}
}

func TestOneOfSeveralRunsIsEnough(t *testing.T) {
	const skipped, passed, failed = "--- SKIP: TestA (0.00s)\n", "--- PASS: TestA (0.00s)\n", "--- FAIL: TestA (0.00s)\n"
	for _, c := range []struct{ first, second, want string }{
		{skipped, passed, "PASS"}, {passed, skipped, "PASS"}, {passed, failed, "FAIL"}, {failed, passed, "FAIL"}, {skipped, skipped, "SKIP"},
	} {
		l := log{map[string]string{}, map[string]bool{}}
		l.add(c.first+"ok hull/tests 1s\n", "hull")
		l.add(c.second+"ok hull/tests 1s\n", "hull")
		if got := l.outcomes["tests.TestA"]; got != c.want || !l.packages["tests"] {
			t.Errorf("%q, then %q: got %s", c.first, c.second, got)
		}
	}
}

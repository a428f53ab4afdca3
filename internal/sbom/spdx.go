package main

import (
	"fmt"
	"time"
)

// What of SPDX 2.3 is used here. https://spdx.github.io/spdx-spec/v2.3/
type document struct {
	SPDXVersion       string         `json:"spdxVersion"`
	DataLicense       string         `json:"dataLicense"`
	SPDXID            string         `json:"SPDXID"`
	Name              string         `json:"name"`
	DocumentNamespace string         `json:"documentNamespace"`
	CreationInfo      creation       `json:"creationInfo"`
	Packages          []pkg          `json:"packages"`
	Relationships     []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type pkg struct {
	SPDXID           string     `json:"SPDXID"`
	Name             string     `json:"name"`
	VersionInfo      string     `json:"versionInfo,omitempty"`
	FileName         string     `json:"packageFileName,omitempty"`
	Purpose          string     `json:"primaryPackagePurpose,omitempty"`
	DownloadLocation string     `json:"downloadLocation"`
	FilesAnalyzed    bool       `json:"filesAnalyzed"`
	LicenseConcluded string     `json:"licenseConcluded"`
	License          string     `json:"licenseDeclared"`
	Copyright        string     `json:"copyrightText"`
	Checksums        []checksum `json:"checksums,omitempty"`
	ExternalRefs     []external `json:"externalRefs,omitempty"`
	Comment          string     `json:"comment,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type external struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

const (
	documentID = "SPDXRef-DOCUMENT"
	binaryID   = "SPDXRef-Binary"
	unknown    = "NOASSERTION"
)

// newDocument describes the binary, and nothing in it yet.
func newDocument(name, version, sha256 string, committed time.Time) *document {
	binary := pkg{
		SPDXID: binaryID, Name: name, VersionInfo: version, FileName: name, Purpose: "APPLICATION",
		DownloadLocation: unknown, LicenseConcluded: unknown, License: "Apache-2.0", Copyright: unknown,
		Checksums: []checksum{{"SHA256", sha256}},
	}
	return &document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: documentID, Name: name,
		// Unique for what it describes, and the same whenever it is made.
		DocumentNamespace: "https://spdx.org/spdxdocs/" + name + "-" + sha256,
		CreationInfo:      creation{committed.UTC().Format(time.RFC3339), []string{"Tool: hull-sbom"}},
		Packages:          []pkg{binary},
		Relationships:     []relationship{{documentID, "DESCRIBES", binaryID}},
	}
}

// contains adds a package that is in the binary. url is its package URL.
func (d *document) contains(p pkg, url string) {
	p.SPDXID = fmt.Sprintf("SPDXRef-Package-%d", len(d.Packages))
	p.DownloadLocation, p.LicenseConcluded, p.Copyright = unknown, unknown, unknown
	if p.License == "" {
		p.License = unknown
	}
	p.ExternalRefs = []external{{"PACKAGE-MANAGER", "purl", url}}
	d.Packages = append(d.Packages, p)
	d.Relationships = append(d.Relationships, relationship{binaryID, "CONTAINS", p.SPDXID})
}

package main

import (
	"strings"
	"testing"
)

const metadata = "sops:\n  mac: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\n"

func TestAFileIsEncryptedWhenSOPSMarkedItSo(t *testing.T) {
	object := `{"a": "x", "sops": {"mac": "ENC[AES256_GCM,data:x]"}}`
	cases := []struct {
		file, content string
		form          *sopsForm
	}{
		{"a.yaml", "a: 1\n" + metadata, yamlForm},
		{"a.yaml", "a: 1\n---\nb: 2\n" + metadata, yamlForm},
		{"a.yml", object, yamlForm},
		{"a.json", object, jsonForm},
		{"a", object, jsonForm},
		{"a", strings.Replace(object, `"a"`, `"data"`, 1), binaryForm},
		{"a.env", "A=ENC[AES256_GCM,data:x]\nsops_mac=ENC[AES256_GCM,data:x]\n", dotenvForm},
		{"a.txt", "A=1\nsops_mac=ENC[AES256_GCM,data:x]\n", dotenvForm},
		{"a.ini", "[a]\nb = 1\n[sops]\nmac = ENC[AES256_GCM,data:x]\n", iniForm},
		{"a.yaml", "a: 1\n# " + metadata, nil},
		{"a.yaml", "text: |\n  sops:\n    mac: ENC[AES256_GCM,data:x]\n", nil},
		{"a.yaml", "spec:\n  sops: {mac: 'ENC[AES256_GCM,data:x]'}\n", nil},
		{"a.yaml", "sops: ENC[AES256_GCM,data:x]\n", nil},
		{"a.yaml", "kind: SopsSecret\n" + metadata, nil},
		{"a.json", `{"kind": "SopsSecret", "sops": {"mac": "ENC[AES256_GCM,data:x]"}}`, nil},
		{"a.yaml", "{{ if .Values.on }}\nkind: Secret\n" + metadata, nil},
		{"README.md", "Set `sops_mac=` to ENC[AES256_GCM,...", nil},
	}
	for _, c := range cases {
		if got := encryptedForm(c.file, []byte(c.content)); got != c.form {
			t.Errorf("%s %q: %v", c.file, c.content, got)
		}
	}
}

func TestAnOrdinaryFileIsNotParsed(t *testing.T) {
	for _, content := range []string{"", "a: 1\n", "sops: {mac: x}\n", "a: ENC[AES256_GCM,data:x]\n"} {
		if mayBeEncrypted([]byte(content)) {
			t.Errorf("%q", content)
		}
	}
}

func TestATextQuotesAValueWhateverItsForm(t *testing.T) {
	opened := openedFiles{}
	opened.remember("stringData:password:", "Hunter2 is\nmy word")
	opened.remember("stringData:pin:", 4711)
	opened.remember("stringData:short:", "a-b")
	opened.remember("data:token:", "c2VzYW1lIG9wZW4=")
	opened.remember("kind:", "Secret")
	opened.remember("metadata:name:", "database")
	opened.remember("on:", true)
	for text, want := range map[string]bool{
		"cannot unmarshal !!str `Hunter2...` into int": true,
		"bad value \"hunter2 is my word\"":             true,
		"HUNTER2 is wrong":                             true,
		"in base64: SHVudGVyMiBpcwpteSB3b3Jk":          true,
		"line [72 117 110 116 101 114 50] is invalid":  true,
		"the number 4711 is too large":                 true,
		"the number 147110 is too large":               false,
		"the key a-b is wrong":                         true,
		"sesame open is no number":                     true,
		"Secret database is there twice":               false,
		"true is not a text":                           false,
		"did not find expected key":                    false,
	} {
		if got := opened.quotedIn(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

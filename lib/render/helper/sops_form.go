package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	sopsdotenv "github.com/getsops/sops/v3/stores/dotenv"
	sopsini "github.com/getsops/sops/v3/stores/ini"
	sopsjson "github.com/getsops/sops/v3/stores/json"
	sopsyaml "github.com/getsops/sops/v3/stores/yaml"
	yamlv3 "go.yaml.in/yaml/v3"
)

// encryptedValue begins everything that SOPS has encrypted, the authentication code of each file too.
const encryptedValue = "ENC[AES256_GCM,"

// mayBeEncrypted is the one look that a file without SOPS costs.
func mayBeEncrypted(content []byte) bool {
	return bytes.Contains(content, []byte(encryptedValue)) && bytes.Contains(content, []byte("sops"))
}

// sopsForm is one way in which SOPS writes files.
type sopsForm struct {
	store sops.Store
	// check refuses what the library would work on for ever.
	check func(content []byte) error
}

var (
	storesConfig = config.NewStoresConfig()
	fine         = func([]byte) error { return nil }
	yamlForm     = &sopsForm{sopsyaml.NewStore(&storesConfig.YAML), checkYAML}
	jsonForm     = &sopsForm{sopsjson.NewStore(&storesConfig.JSON), checkJSON}
	binaryForm   = &sopsForm{sopsjson.NewBinaryStore(&storesConfig.JSONBinary), checkJSON}
	dotenvForm   = &sopsForm{sopsdotenv.NewStore(&storesConfig.Dotenv), fine}
	iniForm      = &sopsForm{sopsini.NewStore(&storesConfig.INI), fine}
)

var (
	dotenvCode = regexp.MustCompile(`(?m)^sops_mac=`)
	iniSection = regexp.MustCompile(`(?m)^\[sops\]\s*$`)
	iniCode    = regexp.MustCompile(`(?m)^mac\s*=`)
	yamlEntry  = regexp.MustCompile(`(?m)^["']?sops["']?\s*:`)
)

// encryptedForm finds in which form a file is encrypted, nil when it is not. The name decides, as with `sops decrypt`;
// where the content is of another form than the name says, the content.
func encryptedForm(file string, content []byte) *sopsForm {
	extension := strings.ToLower(path.Ext(file))
	if object := bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")); object && extension != ".yaml" && extension != ".yml" {
		keys := encryptedObject(content)
		switch {
		case keys == nil:
			return nil
		case extension != ".json" && len(keys) == 2 && keys["data"]:
			return binaryForm
		}
		return jsonForm
	}
	switch {
	case extension == ".yaml" || extension == ".yml" || extension == ".json":
		return encryptedYAML(content)
	case dotenvCode.Match(content):
		return dotenvForm
	case iniSection.Match(content) && iniCode.Match(content):
		return iniForm
	case yamlEntry.Match(content):
		return encryptedYAML(content)
	}
	return nil
}

// encryptedObject gives the keys of a JSON object that carries metadata of SOPS. An object that an operator in the
// cluster decrypts is left to it.
func encryptedObject(content []byte) map[string]bool {
	var members map[string]json.RawMessage
	var metadata map[string]json.RawMessage
	var kind string
	if json.Unmarshal(content, &members) != nil || json.Unmarshal(members["sops"], &metadata) != nil || metadata["mac"] == nil {
		return nil
	}
	if _ = json.Unmarshal(members["kind"], &kind); kind == decryptedInCluster {
		return nil
	}
	keys := map[string]bool{}
	for name := range members {
		keys[name] = true
	}
	return keys
}

// decryptedInCluster is the kind of the SOPS secrets operator.
const decryptedInCluster = "SopsSecret"

func encryptedYAML(content []byte) *sopsForm {
	encrypted := false
	err := eachDocument(content, func(top *yamlv3.Node) error {
		if metadata := member(top, "sops"); metadata == nil || member(metadata, "mac") == nil {
			return nil
		}
		if kind := member(top, "kind"); kind == nil || kind.Value != decryptedInCluster {
			encrypted = true
		}
		return nil
	})
	if err != nil || !encrypted {
		return nil // what is wrong with it, its reader says
	}
	return yamlForm
}

func member(mapping *yamlv3.Node, name string) *yamlv3.Node {
	if mapping.Kind != yamlv3.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func eachDocument(content []byte, visit func(top *yamlv3.Node) error) error {
	decoder := yamlv3.NewDecoder(bytes.NewReader(content))
	for {
		var document yamlv3.Node
		if err := decoder.Decode(&document); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for _, top := range document.Content {
			if err := visit(top); err != nil {
				return err
			}
		}
	}
}

var (
	errAlias = errors.New("it is encrypted with SOPS and has YAML aliases, which SOPS never writes: change it by `sops edit` only")
	errDeep  = failure("", 0, "it is nested more than %d levels deep", maxDepth)
)

// checkYAML refuses aliases, which the library follows without bounds, and depth.
func checkYAML(content []byte) error {
	return eachDocument(content, func(top *yamlv3.Node) error { return checkNode(top, 0) })
}

func checkNode(node *yamlv3.Node, depth int) error {
	if node.Kind == yamlv3.AliasNode {
		return errAlias
	}
	if depth > maxDepth {
		return errDeep
	}
	for _, inner := range node.Content {
		if err := checkNode(inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkJSON(content []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return nil // its end, or what the library says to it
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return errDeep
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

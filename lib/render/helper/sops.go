package main

import (
	"io"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/logging"
)

func init() {
	// The library writes parts of the files that it reads, comments among them.
	for _, logger := range logging.Loggers {
		logger.SetOutput(io.Discard)
	}
}

// openAll replaces the content of the files that are encrypted with SOPS by what they hold.
func (j *job) openAll(entries []foundEntry) ([]foundEntry, error) {
	var opened []foundEntry
	for i, entry := range entries {
		if entry.Type != "" && entry.Type != isFile {
			continue
		}
		content, err := entry.content()
		if err != nil {
			return nil, err
		}
		plain, decrypted, err := j.open(entry.Path, content)
		if err != nil {
			j.closed = asRenderError(err)
			return nil, err
		}
		if !decrypted {
			continue
		}
		if opened == nil {
			opened = append(opened, entries...)
		}
		opened[i] = foundEntry{Path: entry.Path, Type: entry.Type, bytes: plain}
	}
	if opened == nil {
		return entries, nil
	}
	return opened, nil
}

// open decrypts a file that is encrypted with SOPS, as `sops decrypt` does; any other file comes back as it is.
func (j *job) open(file string, content []byte) (plain []byte, decrypted bool, err error) {
	if !mayBeEncrypted(content) {
		return content, false, nil
	}
	form := encryptedForm(file, content)
	if form == nil {
		return content, false, nil
	}
	defer func() {
		if reason := recover(); reason != nil {
			err = failure(file, 0, "%s", unreadable)
		}
	}()
	if err := form.check(content); err != nil {
		return nil, false, failure(file, 0, "%s", err.Error())
	}
	tree, err := form.store.LoadEncryptedFile(content)
	if err == sops.MetadataNotFound {
		return nil, false, failure(file, 0, "only a part of it is encrypted with SOPS: encrypt the file as a whole, by `sops encrypt`")
	}
	if err != nil {
		return nil, false, failure(file, 0, "%s", unreadable)
	}
	dataKey, err := j.keys.dataKey(file, &tree)
	if err != nil {
		return nil, false, err
	}
	if err := j.decryptTree(file, tree, dataKey); err != nil {
		return nil, false, err
	}
	if plain, err = form.store.EmitPlainFile(tree.Branches); err != nil {
		return nil, false, failure(file, 0, "what it holds cannot be written as %s", form.store.Name())
	}
	return plain, true, nil
}

const unreadable = "it is marked as encrypted with SOPS, and cannot be read as such: see what `sops decrypt` says to it"

// decryptTree decrypts every value in place. Nothing of it may be used before the authentication code has been compared.
func (j *job) decryptTree(file string, tree sops.Tree, dataKey []byte) error {
	cipher := &watchedCipher{Cipher: aes.NewCipher(), opened: &j.opened}
	computed, err := tree.Decrypt(dataKey, cipher)
	if err != nil && cipher.failed != "" {
		return failure(file, 0, "%s was written, changed or moved without SOPS: %s", cipher.failed, editAdvice)
	}
	if err != nil {
		return failure(file, 0, "a value was written without SOPS: %s", editAdvice)
	}
	stored, err := cipher.Cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, dataKey, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil || stored != computed {
		return failure(file, 0, "MAC mismatch, the file was changed without SOPS: %s", editAdvice)
	}
	j.opened.add(file)
	return nil
}

const editAdvice = "change it by `sops edit` only, or encrypt it again"

// watchedCipher remembers where decryption failed, and what it gave.
type watchedCipher struct {
	aes.Cipher
	opened *openedFiles
	failed string
}

func (c *watchedCipher) Decrypt(ciphertext string, key []byte, path string) (any, error) {
	value, err := c.Cipher.Decrypt(ciphertext, key, path)
	if err != nil {
		c.failed = "the value at " + printable(strings.TrimSuffix(strings.ReplaceAll(path, ":", "."), "."))
		return nil, err
	}
	c.opened.remember(path, value)
	return value, nil
}

// printable cuts a text of a file that goes into an error.
func printable(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if len(clean) > 200 {
		clean = strings.ToValidUTF8(clean[:200], "") + "..."
	}
	return clean
}

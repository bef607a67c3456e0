package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"github.com/getsops/sops/v3"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/keyservice"
)

// sopsKeys opens data keys for one job: age with the identities that the other side gives, KMS through it.
type sopsKeys struct {
	job        *job
	asked      bool
	identities []age.Identity
	// absent says why there is no identity.
	absent keyRefusal
}

type keyRefusal struct {
	reason    string
	retryable bool
}

// dataKey opens the key that a file is encrypted with, by any one of the keys that it names, or by as many groups of
// them as it asks for.
func (k *sopsKeys) dataKey(file string, tree *sops.Tree) ([]byte, error) {
	attempt := &keyAttempt{keys: k}
	service := keyservice.NewCustomLocalClient(attempt)
	key, err := tree.Metadata.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{service}, sops.DefaultDecryptionOrder)
	if k.job.abandoned {
		return nil, errAbandoned
	}
	if err == nil {
		return key, nil
	}
	if len(attempt.refusals) == 0 {
		return nil, failure(file, 0, "it is encrypted with SOPS, and its keys do not give a data key: encrypt it again")
	}
	problem := failure(file, 0, "it is encrypted with SOPS and cannot be decrypted: %s", attempt.summary(tree.Metadata))
	problem.Retryable = attempt.retryable
	return nil, problem
}

func (k *sopsKeys) ageIdentities() ([]age.Identity, keyRefusal) {
	if k.asked {
		return k.identities, k.absent
	}
	reply, err := k.job.ask(answer{AgeKeys: true})
	if err != nil {
		return nil, keyRefusal{reason: err.Error()}
	}
	k.asked = true
	k.absent = keyRefusal{reply.Refusal, reply.Retryable}
	for number, text := range reply.AgeKeys {
		// X25519 and its post-quantum hybrid: no plugin, which would be a program.
		found, err := age.ParseIdentities(strings.NewReader(text))
		if err != nil {
			k.identities, k.absent = nil, keyRefusal{reason: fmt.Sprintf("age key %d of those configured is not an AGE-SECRET-KEY-1...", number+1)}
			break
		}
		k.identities = append(k.identities, found...)
	}
	if len(k.identities) == 0 && k.absent.reason == "" {
		k.absent.reason = "no age key is configured"
	}
	return k.identities, k.absent
}

// keyAttempt is the key service that the library asks while it opens one file.
type keyAttempt struct {
	keys      *sopsKeys
	refusals  []string
	retryable bool
}

var errRefused = errors.New("refused")

func (a *keyAttempt) Encrypt(context.Context, *keyservice.EncryptRequest) (*keyservice.EncryptResponse, error) {
	return nil, errRefused
}

func (a *keyAttempt) Decrypt(_ context.Context, request *keyservice.DecryptRequest) (*keyservice.DecryptResponse, error) {
	var plaintext []byte
	var refusal keyRefusal
	name := nameOfKey(request.Key)
	switch key := request.Key.GetKeyType().(type) {
	case *keyservice.Key_AgeKey:
		plaintext, refusal = a.keys.openWithAge(key.AgeKey, request.Ciphertext)
	case *keyservice.Key_KmsKey:
		plaintext, refusal = a.keys.openWithKms(key.KmsKey, request.Ciphertext)
	default:
		refusal.reason = "not supported"
	}
	if refusal.reason != "" {
		a.refusals = append(a.refusals, name+" ("+refusal.reason+")")
		a.retryable = a.retryable || refusal.retryable
		return nil, errRefused
	}
	return &keyservice.DecryptResponse{Plaintext: plaintext}, nil
}

func (k *sopsKeys) openWithAge(key *keyservice.AgeKey, ciphertext []byte) ([]byte, keyRefusal) {
	identities, absent := k.ageIdentities()
	if len(identities) == 0 {
		return nil, absent
	}
	master := sopsage.MasterKey{Recipient: key.Recipient, EncryptedKey: string(ciphertext)}
	sopsage.ParsedIdentities(identities).ApplyToMasterKey(&master)
	plaintext, err := master.Decrypt()
	if err != nil {
		return nil, keyRefusal{reason: "none of the configured age keys is for it"}
	}
	return plaintext, keyRefusal{}
}

func (k *sopsKeys) openWithKms(key *keyservice.KmsKey, ciphertext []byte) ([]byte, keyRefusal) {
	reply, err := k.job.ask(answer{Decrypt: &kmsCiphertext{
		ARN: key.Arn, Ciphertext: string(ciphertext), Context: key.Context, Role: key.Role,
	}})
	if err != nil {
		return nil, keyRefusal{reason: err.Error()}
	}
	if reply.Refusal != "" {
		return nil, keyRefusal{reply.Refusal, reply.Retryable}
	}
	plaintext, err := base64.StdEncoding.DecodeString(reply.Plaintext)
	if err != nil || len(plaintext) == 0 {
		return nil, keyRefusal{reason: "the answer of KMS is not a key"}
	}
	return plaintext, keyRefusal{}
}

func (a *keyAttempt) summary(metadata sops.Metadata) string {
	text := strings.Join(a.refusals, "; ")
	if groups := len(metadata.KeyGroups); groups > 1 {
		text = fmt.Sprintf("it asks for %d of %d groups of keys, and too few opened: %s", metadata.ShamirThreshold, groups, text)
	}
	return text + ". Driftless opens files for age keys and AWS KMS keys: configure one of these, or encrypt it for one that is"
}

func nameOfKey(key *keyservice.Key) string {
	name := "a key of an unknown kind"
	switch typed := key.GetKeyType().(type) {
	case *keyservice.Key_AgeKey:
		name = "age " + typed.AgeKey.Recipient
	case *keyservice.Key_KmsKey:
		name = "AWS KMS " + typed.KmsKey.Arn
	case *keyservice.Key_PgpKey:
		name = "PGP " + typed.PgpKey.Fingerprint
	case *keyservice.Key_GcpKmsKey:
		name = "GCP KMS " + typed.GcpKmsKey.ResourceId
	case *keyservice.Key_AzureKeyvaultKey:
		name = "Azure Key Vault " + typed.AzureKeyvaultKey.VaultUrl + "/keys/" + typed.AzureKeyvaultKey.Name
	case *keyservice.Key_VaultKey:
		name = "HashiCorp Vault " + typed.VaultKey.VaultAddress + "/" + typed.VaultKey.KeyName
	case *keyservice.Key_HckmsKey:
		name = "Huawei Cloud KMS " + typed.HckmsKey.KeyId
	}
	return printable(name)
}

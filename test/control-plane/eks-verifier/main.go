// Command eks-verifier is the token webhook of an API server, with the verifier
// that EKS' own authenticator is made of: POST /token-review/CLUSTER takes a
// TokenReview and answers it. Only the call that redeems a token goes to another
// place than the token names: to the loopback address of --sts.
//
//	eks-verifier --sts http://127.0.0.1:PORT [--partition aws] [--region eu-central-1]
//
// Its first line of output is the address that it listens at.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"sigs.k8s.io/aws-iam-authenticator/pkg/token"
)

func main() {
	sts := flag.String("sts", "", "where GetCallerIdentity is redeemed: http://127.0.0.1:PORT")
	partition := flag.String("partition", "aws", "whose hosts of STS are taken")
	region := flag.String("region", "eu-central-1", "added to the hosts of STS where the partition does not have it")
	flag.Parse()
	if err := run(*sts, *partition, *region); err != nil {
		fmt.Fprintln(os.Stderr, "eks-verifier:", err)
		os.Exit(1)
	}
}

func run(sts, partition, region string) error {
	endpoint, err := url.Parse(sts)
	if err != nil || endpoint.Host == "" {
		return fmt.Errorf("--sts must be an http address, not %q", sts)
	}
	endWithParent()
	// What the verifier's client falls back to; loopback needs nothing of the original.
	http.DefaultTransport = redirect{to: endpoint, through: &http.Transport{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token-review/{cluster}", func(w http.ResponseWriter, r *http.Request) {
		review(w, r, token.NewVerifier(r.PathValue("cluster"), partition, region))
	})
	return http.Serve(listener, mux)
}

// redirect sends every request to one address, under the host that it named.
type redirect struct {
	to      *url.URL
	through http.RoundTripper
}

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	moved := request.Clone(request.Context())
	moved.Host = request.URL.Host
	moved.URL.Scheme, moved.URL.Host = r.to.Scheme, r.to.Host
	return r.through.RoundTrip(moved)
}

type tokenReview struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Token string `json:"token"`
	} `json:"spec"`
	Status struct {
		Authenticated bool   `json:"authenticated"`
		User          *user  `json:"user,omitempty"`
		Error         string `json:"error,omitempty"`
	} `json:"status"`
}

type user struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// review lets in whoever the verifier knows; groups are what access entries would give.
func review(w http.ResponseWriter, r *http.Request, verifier token.Verifier) {
	var asked tokenReview
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	identity, err := verifier.Verify(asked.Spec.Token)
	asked.Spec.Token = ""
	if err != nil {
		asked.Status.Error = err.Error()
	} else {
		asked.Status.Authenticated = true
		asked.Status.User = &user{
			Username: identity.ARN,
			UID:      identity.UserID,
			Groups:   []string{"eks-verifier"},
			Extra: map[string][]string{
				"arn":          {identity.ARN},
				"canonicalArn": {identity.CanonicalARN},
				"sessionName":  {identity.SessionName},
			},
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(asked)
}

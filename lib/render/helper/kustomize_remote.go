package main

import (
	"encoding/base64"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// remote is what Kustomize would take for a URL or a repository.
var remote = regexp.MustCompile(`(?i)^git::|://|^(?:www\.)?github\.com[/:]|^gh:|^[^/\s]+@[^/\s]+[:/]|\?(?:ref|version|timeout|submodules)=`)

var (
	userInformation = regexp.MustCompile(`//[^/@\s]*@`)
	commitID        = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	rawFile         = regexp.MustCompile(`^https://raw\.githubusercontent\.com/([^/]+/[^/]+)/([^/]+)/(.+)$`)
	forcedGit       = regexp.MustCompile(`(?i)^git::`)
	githubShort     = regexp.MustCompile(`(?i)^github\.com/`)
)

// remoteFolder is the folder below which the files of remote bases seem to lie: no commit can have one of this name. Below it
// come the repository, in base64, and the commit. The other side answers what is looked up there from that commit.
const remoteFolder = ".git/remote/"

var remotePath = regexp.MustCompile("(?:[^\\s'\"`]*/)?\\.git/remote/[\\w-]+/[0-9a-f]+(?:/[^\\s'\"`:]*)?")

// remoteBase is a folder or file in one commit of another repository.
type remoteBase struct{ repository, commit, path string }

// remotePlace gives the path at which the files of an allowed and pinned remote base are looked up, or why it is refused.
func remotePlace(text string, allowed []string) (place string, problem string) {
	if len(allowed) == 0 {
		return "", refusedRemote(text)
	}
	base, problem := parseRemote(text)
	if problem != "" {
		return "", withoutUser(text) + ": " + problem
	}
	if !base.allowedBy(allowed) {
		return "", withoutUser(text) + " is not below an entry of remoteBases: add one, or copy it into the repository"
	}
	if !commitID.MatchString(base.commit) {
		return "", withoutUser(text) + " is not pinned: name a commit by its full id (?ref= and 40 hex digits)"
	}
	place = remoteFolder + base64.RawURLEncoding.EncodeToString([]byte(base.repository)) + "/" + base.commit
	if base.path != "" {
		place += "/" + base.path
	}
	return place, ""
}

func refusedRemote(text string) string {
	return withoutUser(text) + " is remote; a render reads the commit only: copy it into the repository"
}

func withoutUser(text string) string { return userInformation.ReplaceAllString(text, "//") }

// parseRemote reads HOST/OWNER/REPOSITORY//PATH?ref=COMMIT as Kustomize does, and raw files of GitHub.
func parseRemote(text string) (base remoteBase, problem string) {
	text = forcedGit.ReplaceAllString(text, "")
	text = githubShort.ReplaceAllString(text, "https://github.com/")
	address, err := url.Parse(text)
	if err != nil || (address.Scheme != "https" && address.Scheme != "http") || address.Host == "" {
		return base, "write it as https://HOST/OWNER/REPOSITORY//PATH?ref=COMMIT"
	}
	if address.User != nil {
		return base, "credentials do not belong into the URL"
	}
	origin := address.Scheme + "://" + strings.ToLower(address.Host)
	if raw := rawFile.FindStringSubmatch(origin + address.Path); raw != nil && address.RawQuery == "" {
		base = remoteBase{repository: "https://github.com/" + raw[1], commit: raw[2], path: raw[3]}
	} else {
		query, err := url.ParseQuery(address.RawQuery)
		if err != nil {
			return base, "its query can't be read"
		}
		repository, inside := splitRepository(strings.TrimPrefix(address.Path, "/"))
		base = remoteBase{repository: origin + "/" + repository, commit: query.Get("ref"), path: strings.Trim(inside, "/")}
	}
	inRepository := strings.TrimSuffix(base.repository+"/"+base.path, "/")
	if address.Fragment != "" || address.RawPath != "" || !isPlain(inRepository[strings.Index(inRepository, "://")+3:]) {
		return base, "its path is not plain"
	}
	return base, ""
}

// isPlain holds a path to parts that are names.
func isPlain(text string) bool {
	for _, part := range strings.Split(text, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") || strings.ContainsAny(part, "%\\\x00\n") {
			return false
		}
	}
	return true
}

// splitRepository cuts a path where _git, // or .git says so, else behind OWNER/REPOSITORY.
func splitRepository(text string) (repository, inside string) {
	if project, rest, found := strings.Cut(text, "/_git/"); found {
		name, inside, _ := strings.Cut(rest, "/")
		return project + "/_git/" + name, inside
	}
	if repository, inside, found := strings.Cut(text, "//"); found {
		return repository, inside
	}
	if repository, inside, found := strings.Cut(text+"/", ".git/"); found {
		return repository + ".git", inside
	}
	parts := strings.SplitN(text, "/", 3)
	if len(parts) < 3 {
		return text, ""
	}
	return parts[0] + "/" + parts[1], parts[2]
}

// allowedBy holds the base to the beginnings of URLs that an installation allows: whole parts of the path only.
func (b remoteBase) allowedBy(allowed []string) bool {
	name := strings.TrimSuffix(b.repository, ".git")
	candidates := []string{name + "/" + b.path}
	if repository, onGitHub := strings.CutPrefix(name, "https://github.com/"); onGitHub {
		candidates = append(candidates, "https://raw.githubusercontent.com/"+repository+"/"+b.commit+"/"+b.path)
	}
	for _, beginning := range allowed {
		beginning = strings.TrimSuffix(strings.TrimRight(beginning, "/"), ".git") + "/"
		for _, candidate := range candidates {
			if strings.HasPrefix(candidate+"/", beginning) {
				return true
			}
		}
	}
	return false
}

// remoteRoot gives the folder that stands for the remote repository that a path lies in; "" for the commit itself.
func remoteRoot(file string) string {
	at := strings.LastIndex("/"+file, "/"+remoteFolder)
	if at < 0 {
		return ""
	}
	parts := strings.SplitN(file[at+len(remoteFolder):], "/", 3)
	return path.Join(file[:at], remoteFolder, parts[0], parts[1])
}

// readable puts the URLs of remote bases back in the place of where their files seem to lie.
func readable(text string) string {
	return remotePath.ReplaceAllStringFunc(text, func(found string) string {
		at := strings.LastIndex("/"+found, "/"+remoteFolder)
		repository, rest, _ := strings.Cut(found[at+len(remoteFolder):], "/")
		commit, inside, _ := strings.Cut(rest, "/")
		name, err := base64.RawURLEncoding.DecodeString(repository)
		if err != nil {
			return found
		}
		return string(name) + "//" + inside + "?ref=" + commit
	})
}

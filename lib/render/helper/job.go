package main

// job is one request on its way. It may ask the other side for more while it runs.
type job struct {
	message
	server  *server
	replies chan message
	// abandoned is set once the other side has given the job up: nobody answers it any more.
	abandoned bool
	keys      *sopsKeys
	opened    openedFiles
	// closed is why the first file that stayed encrypted did.
	closed *renderError
}

func newJob(s *server, m message, replies chan message) *job {
	j := &job{message: m, server: s, replies: replies}
	j.keys = &sopsKeys{job: j}
	return j
}

func (j *job) tell(a answer) {
	a.ID = j.ID
	j.server.write(a)
}

func (j *job) ask(question answer) (message, error) {
	if j.abandoned {
		return message{}, errAbandoned
	}
	j.tell(question)
	reply := <-j.replies
	if reply.Op == "abort" {
		j.abandoned = true
		return message{}, errAbandoned
	}
	return reply, nil
}

var errAbandoned = failure("", 0, "the render was given up")

// lookup asks for what the commit has at these paths, and opens what is encrypted.
func (j *job) lookup(paths []string) ([]foundEntry, error) {
	reply, err := j.ask(answer{Lookup: paths})
	if err != nil {
		return nil, err
	}
	return j.openAll(reply.Entries)
}

package process

// DetectCgroup finds the cgroup v2 folder delegated to this process, for
// Spec.Cgroup. ok is false where there is none, and note says why or which.
func DetectCgroup() (dir, note string, ok bool) { return "", "not built yet", false }

// BecomeSubreaper makes orphaned descendants children of this process instead
// of init's, so that they stay findable (Linux; elsewhere an error). The
// caller must be prepared for children it did not start; Terminate reaps those
// that belong to it.
func BecomeSubreaper() error { return errTODO }

func readProc(pid int) (Proc, bool) { return Proc{}, false }

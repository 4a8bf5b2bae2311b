package process

import "slices"

// Containment where no cgroup2 can be written. Since this process is a subreaper, whatever is left of a tree descends
// from its leader or from a child of ours that nobody knows. Such an orphan's own tree is whole: it came from one
// incarnation, which any of its processes can betray by session, process group, marker or lock. An orphan that shed
// all four belongs to the only incarnation there is, if so; with several it stays, and only its end is collected.

// descent lists the members of the tree, dead ones among them. It is sure unless a child that nobody knows may be a
// launcher that is just being spawned.
func (i *Incarnation) descent() (found []proc, sure bool) {
	found = subtree(i.pid)
	orphans, steady := i.host.strangers()
	orphans = slices.DeleteFunc(orphans, proc.dead)
	if len(orphans) == 0 {
		return found, true
	}
	files := i.host.lockInodes(i.service)
	alone := i.host.alone()
	sure = true
	for _, orphan := range orphans {
		tree := subtree(orphan.pid)
		mine, foreign := i.recognise(tree, files)
		switch {
		case mine, alone && !foreign && steady:
			found = append(found, tree...)
		case alone && !foreign:
			sure = false
		}
	}
	return found, sure
}

// recognise tells whether something of an orphan's tree betrays that it is ours, or another's.
func (i *Incarnation) recognise(tree []proc, files []inode) (mine, foreign bool) {
	marker := i.host.marker(i.service, i.id)
	for _, p := range tree {
		value := environMarker(p.pid)
		if p.session == i.pid || p.group == i.pid || markerName+"="+value == marker {
			return true, false
		}
		if _, holds := holdsLock(p.pid, files); holds {
			return true, false
		}
		foreign = foreign || value != ""
	}
	return false, foreign
}

// alone tells whether there is one incarnation, so that every orphan is its.
func (h *Host) alone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.live) == 1
}

// killDescent kills what descends from the leader and returns it. None is two looks without any: a list of children
// that is read while one of them dies may lack another.
func (i *Incarnation) killDescent() (left []proc, sure bool) {
	for range 2 {
		found, known := i.descent()
		for _, p := range found {
			if !p.dead() {
				left = append(left, p)
				killPID(p)
			}
		}
		if sure = known; !sure || len(left) > 0 {
			break
		}
	}
	return left, sure
}

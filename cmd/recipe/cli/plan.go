package cli

import "fmt"

type planCommand struct {
	File   string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Digest bool   `help:"Print the plan's SHA-256 alone: what sha256sum says of its JSON."`
}

// Help is the long text of --help.
func (*planCommand) Help() string {
	return `The JSON is canonical: the same recipe gives the same bytes on every machine, and a plan's JSON gives itself. What depends on the host stays an expression in it.

Exit codes: 0 done, 1 the recipe is not sound, 2 wrong usage.`
}

// Run prints the plan or its digest.
func (c *planCommand) Run(s *Streams) error {
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	if c.Digest {
		digest, err := p.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintln(s.Out, digest)
		return nil
	}
	data, err := p.Encode()
	if err != nil {
		return err
	}
	s.Out.Write(data)
	return nil
}

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"candor"
	"candor/internal/config"
	"candor/internal/plan"
)

// explain prints an error for people: what happened and what to try.
func (a *app) explain(cmd *cobra.Command, err error) {
	if _, silent := errors.AsType[*outcome](err); silent {
		return
	}
	if problems, ok := errors.AsType[plan.Errors](err); ok {
		problems.Render(a.Err)
		return
	}
	if all, ok := errors.AsType[config.Errors](err); ok {
		for _, e := range all {
			a.explain(cmd, e)
		}
		return
	}
	s := a.style(a.Err)
	fmt.Fprintf(a.Err, "%s %s\n", s.red("candor:"), clean(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(a.Err, "%s %s\n", s.bold("hint:"), clean(hint))
	} else if candor.CodeOf(err) == candor.CodeInvalid && cmd != nil {
		fmt.Fprintf(a.Err, "%s %s --help\n", s.bold("hint:"), cmd.CommandPath())
	}
}

func hintOf(err error) string {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Hint
	}
	return ""
}

// wrongFlag turns a flag error of cobra into one of ours, with the nearest flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	e := &candor.Error{Code: candor.CodeInvalid, Message: err.Error()}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		collect := func(f *pflag.Flag) { names = append(names, f.Name) }
		cmd.Flags().VisitAll(collect)
		cmd.InheritedFlags().VisitAll(collect)
		if near := candor.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			e.Hint = fmt.Sprintf("did you mean --%s?", near)
		}
	}
	return e
}

// wrongVerb answers a word that is no verb of parent.
func wrongVerb(parent *cobra.Command, word string) error {
	e := usage("%q is no command of %s", word, parent.CommandPath())
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := candor.Nearest(word, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s %s?", parent.CommandPath(), near)
	} else {
		e.Hint = parent.CommandPath() + " --help lists the commands"
	}
	return e
}

// exactly wants the arguments that names call, and says which one is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			e := usage("%s is missing", names[len(args)])
			e.Hint = "usage: " + cmd.UseLine()
			return e
		}
		return atMost(names...)(cmd, args)
	}
}

// atMost wants no more arguments than names call.
func atMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			e := usage("%q is one argument too many", args[len(names)])
			e.Hint = "usage: " + cmd.UseLine()
			return e
		}
		return nil
	}
}

// atLeastOne wants one argument or more.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			e := usage("%s is missing", strings.TrimSuffix(name, "..."))
			e.Hint = "usage: " + cmd.UseLine()
			return e
		}
		return nil
	}
}

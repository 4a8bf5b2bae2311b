hook() { # PHASE SECONDS STRICT{{if .Functions}} [VERSION]{{end}}
	code=0
{{- if .Functions}}
	case $1 in
	{{.Functions}}) timeout --kill-after=20 "$2" recipe hook "$1" {{.Plan}} -- ${4:+"$4"} </dev/null || code=$? ;;
	*) timeout --kill-after=10 "$2" sh "$0" hook "$1" </dev/null || code=$? ;;
	esac
{{- else}}
	timeout --kill-after=10 "$2" sh "$0" hook "$1" </dev/null || code=$?
{{- end}}
	[ "$code" != 0 ] || return 0
	case $code in
	124 | 137) echo "{{.Package}}: hook $1: it did not end within $2 s, and was killed" >&2 ;;
	esac
	if [ -n "$3" ]; then
		echo "{{.Package}}: the hook $1 failed, and is strict: mend what it says, then do the same once more" >&2
		exit 1
	fi
{{- if eq .Script "prerm"}}
	echo "{{.Package}}: the hook $1 failed; the removal goes on" >&2
{{- else}}
{{- if .Functions}}
	case $1 in
	{{.Functions}})
		[ "$code" = 1 ] || # recipe has said so
			echo "{{.Package}}: the hook $1 failed; to run it again: recipe hook $1 {{.Plan}}${4:+ -- $4}" >&2
		return 0
		;;
	esac
{{- end}}
	echo "{{.Package}}: the hook $1 failed; to run it again: sh ${DPKG_ADMINDIR:-/var/lib/dpkg}/info/{{.Package}}.{{.Script}} hook $1" >&2
{{- end}}
}

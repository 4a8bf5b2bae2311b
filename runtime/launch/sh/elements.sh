elements() { # TEXT: elements with commas between them, $count of them
	value=$1 count=0 rest=${1:+"$1,"}
	while [ -n "$rest" ]; do
		if [ "$count" = 1000 ]; then why='a list has at most 1000 elements' && return; fi
		element=${rest%%,*} rest=${rest#*,} count=$((count + 1))
		case $element in
		'') why='is empty' ;;
		[" $tab"]* | *[" $tab"]) why='has white space at an end' ;;
		*) continue ;;
		esac
		why="$(quoted "$1") is not a list: element $count $why" && return
	done
}

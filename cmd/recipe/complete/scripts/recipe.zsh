#compdef recipe
# zsh completion of recipe. To load it: source <(recipe completion zsh)
_recipe() {
    local candidate help
    local -a plain open
    while IFS=$'\t' read -r candidate help; do
        candidate=${candidate//\\/\\\\} # _describe takes \ and : for its own
        case $candidate in
        :files) _files ;;
        :folders) _files -/ ;;
        *=) open+=("${candidate//:/\\:}:$help") ;;
        *) plain+=("${candidate//:/\\:}:$help") ;;
        esac
    done < <("${words[1]}" complete -- "${(@)words[2,CURRENT-1]}" "${PREFIX}" 2>/dev/null)
    (( ${#plain} )) && _describe recipe plain
    (( ${#open} )) && _describe recipe open -S ''
    return 0
}
compdef _recipe recipe

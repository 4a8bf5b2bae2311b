# shellcheck shell=bash
# bash completion of recipe. To load it: source <(recipe completion bash)
_recipe_complete() {
    # bash has cut the words at = and :, and completes from behind the last of them; the program wants whole words.
    local line=${COMP_LINE:0:COMP_POINT} current candidate quoted
    local -a words
    # shellcheck disable=SC2162 # a backslash before a space keeps the word together
    read -a words <<<"$line"
    [[ $line = *[[:space:]] ]] && words+=("")
    current=${words[${#words[@]} - 1]}
    local cut=${current%"${current##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        case $candidate in
        :files) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#"$cut"}") ;;
        :folders) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${current#"$cut"}") ;;
        *)
            # What a recipe names may mean something to the shell: it stands on the line as text.
            printf -v quoted %q "${candidate#"$cut"}"
            COMPREPLY+=("$quoted")
            ;;
        esac
        case $candidate in
        :*) compopt -o filenames 2>/dev/null ;;
        *=) compopt -o nospace 2>/dev/null ;;
        esac
    done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _recipe_complete recipe

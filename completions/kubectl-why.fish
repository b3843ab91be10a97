# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_why_global_optspecs
    string join \n A/all-namespaces l/selector= field-selector= c/container= f/filename= w/watch o/output= save-snapshot= exit-code logs= no-hints color= n/namespace= kubeconfig= context= cluster= user= s/server= token= as= as-uid= as-group= as-user-extra= certificate-authority= client-certificate= client-key= tls-server-name= insecure-skip-tls-verify request-timeout= disable-compression v/verbose= h/help V/version
end

function __fish_kubectl_why_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kubectl_why_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kubectl_why_using_subcommand
    set -l cmd (__fish_kubectl_why_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s l -l selector -d 'Only pods with these labels, such as app=web,tier!=cache' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l field-selector -d 'Only pods with these fields, such as spec.nodeName=worker-1' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s c -l container -d 'Only what concerns this container' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s f -l filename -d 'Read a saved snapshot, kubectl\'s JSON or YAML or a folder of `kubectl cluster-info dump` instead of a cluster; `-` reads standard input' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s o -l output -d 'Output format' -r -f -a "text\t'For people'
json\t'For machines, stable'
yaml\t'The same tree as JSON'
name\t'TYPE/NAME of what is not fine'"
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l save-snapshot -d 'Write what was read to this file, without secrets, for -f on another machine' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l logs -d 'How many lines of a failed container\'s log to read; none for no logs' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s n -l namespace -d 'The namespace; by default that of the context' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l context -d 'The kubeconfig context to use' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l cluster -d 'The kubeconfig cluster to use' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l user -d 'The kubeconfig user to use' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s s -l server -d 'The address of the Kubernetes API server' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l token -d 'Bearer token for authentication to the API server' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l as -d 'Username to impersonate' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l as-uid -d 'UID to impersonate' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l as-group -d 'Group to impersonate; may be repeated' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l as-user-extra -d 'Extra of the impersonated user as KEY=VALUE; may be repeated' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l certificate-authority -d 'Path to a certificate file for the certificate authority' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l client-certificate -d 'Path to a client certificate file' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l client-key -d 'Path to a client key file' -r -F
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l tls-server-name -d 'Server name to use for validation of the server\'s certificate' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l request-timeout -d 'How long to wait for one answer of the server, such as 5s, 2m or 1h; 0 for ever' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s v -l verbose -l v -d 'Print each request with its time to standard error' -r
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s A -l all-namespaces -d 'The pods of all namespaces'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s w -l watch -d 'Print a new report whenever the verdict changes, until the target is fine or gone'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l exit-code -d 'Exit with 1 if something is not fine'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l no-hints -d 'Leave out what to do about it'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate, which makes the connection insecure'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -l disable-compression -d 'Ask for answers without compression'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -a "explain" -d 'Explain a reason, an exit code or a word of Kubernetes, without a cluster'
complete -c kubectl-why -n "__fish_kubectl_why_needs_command" -a "completion" -d 'Print a completion script for a shell'
complete -c kubectl-why -n "__fish_kubectl_why_using_subcommand explain" -s h -l help -d 'Print help'
complete -c kubectl-why -n "__fish_kubectl_why_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'

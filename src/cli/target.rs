//! What the user means by the arguments: kubectl's forms TYPE/NAME, TYPE NAME and NAME.

use crate::resource::Kind;
use crate::snapshot::Target;

/// The kinds that can be diagnosed.
pub const KINDS: [&str; 9] =
    ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Node", "ReplicationController"];

/// The targets that `args` name in `namespace`. None at all means the pods that are not fine.
///
/// # Errors
/// A sentence in kubectl's words.
pub fn parse(args: &[String], namespace: &str) -> Result<Vec<Target>, String> {
    let slashed = args.iter().filter(|a| a.contains('/')).count();
    match args {
        [] => Ok(Vec::new()),
        _ if slashed == args.len() => args.iter().map(|a| type_and_name(a, namespace)).collect(),
        _ if slashed > 0 => {
            Err("there is no need to specify a resource type as a separate argument when passing arguments in \
            resource/name form (e.g. 'kubectl why pod/x' instead of 'kubectl why pod pod/x')"
                .to_owned())
        }
        [one] => match diagnosable(one) {
            Ok(kind) if kind.kind == "Pod" => Ok(Vec::new()),
            Ok(kind) => Err(format!("{} needs a name: kubectl why {}/NAME", kind.kind, kind.singular())),
            Err(_) => target(Kind::named("Pod"), one, namespace).map(|t| vec![t]),
        },
        [first, names @ ..] => match diagnosable(first) {
            Ok(kind) => names.iter().map(|name| target(Some(kind), name, namespace)).collect(),
            Err(_) => args.iter().map(|name| target(Kind::named("Pod"), name, namespace)).collect(),
        },
    }
}

/// Refuses flags that choose among pods where a target is named, as kubectl does.
///
/// # Errors
/// A sentence in kubectl's words.
pub fn check(args: &[String], targets: &[Target], everywhere: bool, selected: bool) -> Result<(), String> {
    let by_slash = args.iter().any(|a| a.contains('/'));
    match targets {
        [] => Ok(()),
        _ if selected && by_slash => {
            Err("selectors and the all flag cannot be used when passing resource/name arguments".to_owned())
        }
        _ if selected => Err("name cannot be provided when a selector is specified".to_owned()),
        _ if everywhere && targets.iter().any(|t| t.kind != "Node") => {
            Err("a resource cannot be retrieved by name across all namespaces".to_owned())
        }
        _ => Ok(()),
    }
}

fn type_and_name(argument: &str, namespace: &str) -> Result<Target, String> {
    match argument.split('/').collect::<Vec<_>>().as_slice() {
        [_, ""] | ["", _] => {
            Err(format!("arguments in resource/name form must have a single resource and name: {argument}"))
        }
        [kind, name] => target(Some(diagnosable(kind)?), name, namespace),
        _ => Err("arguments in resource/name form may not have more than one slash".to_owned()),
    }
}

fn diagnosable(word: &str) -> Result<&'static Kind, String> {
    let known: Vec<String> = KINDS.iter().filter_map(|k| Kind::named(k)).map(Kind::singular).collect();
    match Kind::typed(word) {
        Some(kind) if KINDS.contains(&kind.kind) => Ok(kind),
        Some(kind) => Err(format!("{} cannot be diagnosed, only {}", kind.plural, known.join(", "))),
        None => {
            let close = crate::facts::closest(&word.to_lowercase(), known.iter().map(String::as_str));
            let hint = if close.is_empty() { known } else { close };
            Err(format!("the server doesn't have a resource type \"{word}\"; kubectl why knows {}", hint.join(", ")))
        }
    }
}

fn target(kind: Option<&'static Kind>, name: &str, namespace: &str) -> Result<Target, String> {
    let kind = kind.ok_or_else(|| "no such type".to_owned())?;
    let namespace = if kind.namespaced { namespace.to_owned() } else { String::new() };
    Ok(Target { kind: kind.kind, namespace, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Vec<String>, String> {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        parse(&args, "n").map(|targets| targets.into_iter().map(|t| format!("{}/{}", t.kind, t.name)).collect())
    }

    #[test]
    fn every_form_of_kubectl_names_the_same_pod() {
        for args in [&["pod/x"][..], &["pods/x"], &["po/x"], &["pod", "x"], &["x"], &["pods.v1/x"]] {
            assert_eq!(parsed(args), Ok(vec!["Pod/x".to_owned()]), "{args:?}");
        }
        assert_eq!(parsed(&["pod/x", "deploy/y"]), Ok(vec!["Pod/x".to_owned(), "Deployment/y".to_owned()]));
        assert_eq!(parsed(&["pods", "x", "y"]).map(|t| t.len()), Ok(2));
        assert_eq!(parsed(&["pods"]), Ok(vec![]));
    }

    #[test]
    fn a_name_goes_with_no_flag_that_chooses_among_pods() {
        for (args, everywhere, selected, word) in [
            (&["pod/x"][..], false, true, "resource/name arguments"),
            (&["x"], false, true, "name cannot be provided"),
            (&["x"], true, false, "across all namespaces"),
        ] {
            let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
            let targets = parse(&args, "n").unwrap();
            assert!(check(&args, &targets, everywhere, selected).unwrap_err().contains(word), "{args:?}");
        }
        let node = ["node/w".to_owned()];
        assert_eq!(check(&node, &parse(&node, "n").unwrap(), true, false), Ok(()), "a node has no namespace");
        assert_eq!(check(&[], &[], true, true), Ok(()));
    }

    #[test]
    fn what_kubectl_refuses_is_refused_in_its_words() {
        assert!(parsed(&["pod/x", "y"]).unwrap_err().starts_with("there is no need to specify a resource type"));
        assert!(parsed(&["pod/x/y"]).unwrap_err().contains("more than one slash"));
        assert!(parsed(&["widget/x"]).unwrap_err().contains("doesn't have a resource type \"widget\""));
        assert!(parsed(&["deployement/x"]).unwrap_err().contains("deployment"));
        assert!(parsed(&["cm/x"]).unwrap_err().contains("cannot be diagnosed"));
    }
}

/// Go's text/template over JSON: what `--format` takes.
/// Entry type: [Template]; data are [carafe.spec.Json] trees or a [Subject] that answers field by field.
/// Never knows: Docker's objects, columns, the engine, streams.
/// Runs on the thread of the command; a parsed Template is immutable, one run's state is its own.
/// Spec: pkg.go.dev/text/template and the functions `docker` adds (json, split, join, title, lower, upper, pad, truncate).
@NullMarked
package carafe.cli.template;

import org.jspecify.annotations.NullMarked;

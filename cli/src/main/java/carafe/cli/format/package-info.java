/// How things look: tables, sizes, ages, and the fields that `--format` offers for containers and images.
/// Entry type: [Listing] for lists of [carafe.cli.template.Subject] rows.
/// Never knows: the engine, flags, streams; it turns JSON into text.
/// Any thread; nothing here has state.
/// Spec: the columns and wording of `docker` 28; Go's text/tabwriter.
@NullMarked
package carafe.cli.format;

import org.jspecify.annotations.NullMarked;

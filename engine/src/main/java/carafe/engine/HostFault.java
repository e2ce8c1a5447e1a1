package carafe.engine;

/// One thing on the host that is, or was, not as the engine needs it: `kind` says of what sort (`volumes`, `bridge`,
/// `table`), `name` which, `fault` what is wrong: the end of a sentence.
public record HostFault(String kind, String name, String fault, boolean repaired) {}

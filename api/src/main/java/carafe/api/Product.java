package carafe.api;

/// What this engine calls itself: its version (`0.1.0`), the commit it was built from, and when.
public record Product(String version, String commit, String buildTime) {}

package carafe.engine;

/// Rows and columns of a terminal.
public record TerminalSize(int rows, int columns) {}

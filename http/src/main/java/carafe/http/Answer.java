package carafe.http;

/// A complete response. The record owns `body`; do not change it afterwards.
public record Answer(int status, Headers headers, byte[] body) {}

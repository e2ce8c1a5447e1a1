package carafe.engine.transfer;

/// What a transfer tells while it goes on; texts are Docker's, which clients compare.
public sealed interface TransferMessage {

    /// A sentence about the whole.
    record Line(String text) implements TransferMessage {}

    /// A sentence about one thing: a layer by twelve characters of its digest, or a tag.
    record About(String id, String text) implements TransferMessage {}

    /// How far one layer is, in bytes.
    record Moving(String id, String text, long current, long total) implements TransferMessage {}

    /// What a tag means at the registry now.
    record Pushed(String tag, String digest, long size) implements TransferMessage {}
}

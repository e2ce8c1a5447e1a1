package carafe.engine.transfer;

/// Hears how a transfer goes on, from several threads; a slow listener slows the transfer.
@FunctionalInterface
public interface TransferListener {

    /// One more message.
    void tell(TransferMessage message);
}

package carafe.engine;

import carafe.spec.EngineException;
import java.nio.ByteBuffer;

/// A client on the streams of a container or exec. Output and input are independent: one thread may read [#output]
/// while another calls [#write]. Closing detaches; the container does not notice, but for the end of its stdin if it
/// was made with `StdinOnce`.
public interface Attachment extends AutoCloseable {

    /// Whether output is a terminal's raw bytes; otherwise it is in Docker's frames of eight bytes header.
    boolean terminal();

    /// What the processes print; ends when they end or the client detaches.
    ByteSource output();

    /// Hands input to the processes; blocks while they do not read. Answers false once the client typed the detach keys
    /// or nothing reads any more: the caller should then close.
    boolean write(ByteBuffer bytes) throws EngineException;

    /// The client will send no more: the processes see the end of their stdin.
    void closeInput() throws EngineException;

    @Override
    void close();
}

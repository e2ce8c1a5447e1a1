package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Messages with descriptors over SOCK_SEQPACKET sockets. Source: sendmsg(2), recvmsg(2), cmsg(3), unix(7).
final class FdMessages {

    private static final int IOVEC_BYTES = 16;
    private static final int MSGHDR_BYTES = 56;
    private static final int CMSGHDR_BYTES = 16;

    private FdMessages() {}

    /// Sends one message with copies of `fds`. Blocks while the socket's buffer is full.
    static void send(Fd socket, ByteBuffer payload, List<Fd> fds) throws KernelException {
        try (var frame = new Frame()) {
            var data = frame.allocate(payload.remaining(), Long.BYTES);
            data.copyFrom(MemorySegment.ofBuffer(payload));
            var control = frame.allocate(controlBytes(fds.size()), Long.BYTES);
            control.set(JAVA_LONG, 0, CMSGHDR_BYTES + fds.size() * (long) Integer.BYTES);
            control.set(JAVA_INT, 8, Linux.SOL_SOCKET);
            control.set(JAVA_INT, 12, Linux.SCM_RIGHTS);
            long at = CMSGHDR_BYTES;
            for (var fd : fds) {
                control.set(JAVA_INT, at, fd.number());
                at += Integer.BYTES;
            }
            var header = header(frame, data, control);
            long sent = frame.attempt(Syscall.SENDMSG, socket.number(), header.address(), Linux.MSG_NOSIGNAL);
            Frame.checked(sent, Syscall.SENDMSG, socket.subject());
        }
    }

    private static long controlBytes(int fds) {
        return CMSGHDR_BYTES + (fds * (long) Integer.BYTES + 7 & -8);
    }

    private static MemorySegment header(Frame frame, MemorySegment data, MemorySegment control) {
        var part = frame.allocate(IOVEC_BYTES, Long.BYTES);
        part.set(ValueLayout.ADDRESS, 0, data);
        part.set(JAVA_LONG, 8, data.byteSize());
        var header = frame.allocate(MSGHDR_BYTES, Long.BYTES);
        header.set(ValueLayout.ADDRESS, 16, part);
        header.set(JAVA_LONG, 24, 1);
        header.set(ValueLayout.ADDRESS, 32, control);
        header.set(JAVA_LONG, 40, control.byteSize());
        return header;
    }

    /// One message; the caller owns the descriptors.
    record Message(ByteBuffer payload, List<Fd> fds) {}

    /// The buffers of one thread that receives messages again and again.
    static final class Receiver implements AutoCloseable {

        private static final int MOST_FDS = 4;

        private final Fd socket;
        private final Frame frame = new Frame();
        private final MemorySegment data;
        private final MemorySegment control;
        private final MemorySegment header;

        /// For messages of at most `bytes`. To be made, used and closed by one thread; `socket` is borrowed.
        Receiver(Fd socket, int bytes) {
            this.socket = socket;
            this.data = frame.allocate(bytes, Long.BYTES);
            this.control = frame.allocate(controlBytes(MOST_FDS), Long.BYTES);
            this.header = header(frame, data, control);
        }

        /// The next message if there is one, its payload valid until the next call; null if there is none now.
        /// @throws KernelException EPIPE all other ends are closed
        @Nullable Message poll() throws KernelException {
            header.set(JAVA_LONG, 40, control.byteSize());
            int flags = Linux.MSG_CMSG_CLOEXEC | Linux.MSG_DONTWAIT;
            long n = frame.attempt(Syscall.RECVMSG, socket.number(), header.address(), flags);
            if (n == -Errno.EAGAIN) {
                return null;
            }
            if (Frame.checked(n, Syscall.RECVMSG, socket.subject()) == 0) {
                throw new KernelException("recvmsg", socket.subject(), Errno.EPIPE);
            }
            return new Message(data.asSlice(0, n).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN), fds());
        }

        private List<Fd> fds() {
            var fds = new ArrayList<Fd>();
            if (header.get(JAVA_LONG, 40) > CMSGHDR_BYTES && control.get(JAVA_INT, 12) == Linux.SCM_RIGHTS) {
                for (long at = CMSGHDR_BYTES; at < control.get(JAVA_LONG, 0); at += Integer.BYTES) {
                    fds.add(Fd.adopt(control.get(JAVA_INT, at), "pidfd"));
                }
            }
            return fds;
        }

        @Override
        public void close() {
            frame.close();
        }
    }
}

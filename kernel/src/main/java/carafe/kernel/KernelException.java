package carafe.kernel;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A system call that failed: which one, on what, with which errno; the message is a sentence, `mount /proc: permission
/// denied`. An [IOException], so that streams over descriptors need no second kind of error.
public final class KernelException extends IOException {

    private final String call;
    private final String subject;
    private final int errno;
    private final String detail;

    /// `subject` is what the call was about (a path, a process); null where the call says it all.
    public KernelException(String call, @Nullable Object subject, int errno) {
        this(call, subject, errno, "");
    }

    /// `detail` is what the kernel had to say besides the errno (the log of a filesystem context); empty for nothing.
    public KernelException(String call, @Nullable Object subject, int errno, String detail) {
        super(sentence(call, subject, errno, detail));
        this.call = call;
        this.subject = subject == null ? "" : subject.toString();
        this.errno = errno;
        this.detail = detail;
    }

    private static String sentence(String call, @Nullable Object subject, int errno, String detail) {
        return call + (subject == null ? "" : " " + subject) + ": " + Errno.text(errno)
                + (detail.isEmpty() ? "" : " (" + detail + ")");
    }

    /// The call's name as the manual writes it.
    public String call() {
        return call;
    }

    /// What the call was about; empty where the call says it all.
    public String subject() {
        return subject;
    }

    /// The error number, one of [Errno]'s.
    public int errno() {
        return errno;
    }

    /// What the kernel said besides the number; often empty.
    public String detail() {
        return detail;
    }

    /// The text of the error number alone, `permission denied`.
    public String reason() {
        return Errno.text(errno);
    }

    /// Whether the error number is one of `candidates`.
    public boolean is(int... candidates) {
        for (int candidate : candidates) {
            if (candidate == errno) {
                return true;
            }
        }
        return false;
    }
}

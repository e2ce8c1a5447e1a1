package carafe.runtime;

import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.strings;
import static carafe.kernel.Arg.text;

import carafe.kernel.Errno;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import java.util.ArrayList;
import java.util.List;

/// The last steps: working directory, file mode mask, nothing left open, and the program.
final class ProgramSteps {

    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// More places than any real PATH has; each is one attempt on the tape.
    private static final int MOST_PLACES = 64;

    private ProgramSteps() {}

    /// Enters the working directory by a descriptor that was resolved inside the root, magic links refused: a path like
    /// `/proc/self/fd/8` that leads to the host leads nowhere (CVE-2024-21626).
    static void workingDirectory(TapeDraft draft, ProcessPlan process) {
        var place = new Slot("working-directory");
        draft.add(draft.place("working-directory", process.cwd(), place));
        draft.child("working-directory", Syscall.FCHDIR, slot(place));
    }

    static void closeDescriptors(TapeDraft draft, ProcessPlan process) {
        int umask = process.user().umask().orElse(0022);
        draft.child("umask", Syscall.UMASK, number(umask, "0" + Integer.toOctalString(umask)));
        draft.child("descriptors", Syscall.CLOSE_RANGE, number(3), number(0xFFFF_FFFFL, "all"),
                number(TapeDraft.CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC"));
    }

    /// Tries each candidate until one runs.
    static void write(TapeDraft draft, ProcessPlan process) throws StartFailure {
        var candidates = candidates(process);
        if (candidates.isEmpty()) {
            throw Sentences.notFound(process.args().getFirst());
        }
        var argv = strings(process.args());
        var environment = strings(process.env());
        for (int i = 0; i < candidates.size(); i++) {
            var step = Step.child("exec", Syscall.EXECVE, text(candidates.get(i)), argv, environment);
            draft.add(i == candidates.size() - 1
                    ? step
                    : step.orNext(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP, Errno.ENAMETOOLONG));
        }
    }

    /// The paths at which the program may be: as it is written if it has a slash, else one for each directory of PATH.
    /// Relative directories are passed over: what lies in the working directory is not searched for.
    static List<String> candidates(ProcessPlan process) {
        String name = process.args().getFirst();
        if (name.isEmpty()) {
            return List.of();
        }
        if (name.contains("/")) {
            return List.of(name);
        }
        String path = process.variable("PATH");
        var candidates = new ArrayList<String>();
        for (String directory : (path.isEmpty() ? DEFAULT_PATH : path).split(":")) {
            if (directory.startsWith("/") && candidates.size() < MOST_PLACES) {
                candidates.add(directory + (directory.endsWith("/") ? "" : "/") + name);
            }
        }
        return candidates;
    }
}

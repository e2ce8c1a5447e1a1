package carafe.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// libseccomp2 as it is on the host. Looked for when first asked, and only when a filter has to be compiled. Results
/// are 0 or a negative errno, as the library has them. Source: seccomp_init(3) and its neighbours.
final class LibSeccomp {

    /// What seccomp_syscall_resolve_name answers for a name it does not know.
    static final int UNKNOWN = -1;

    private static final String LIBRARY = "libseccomp.so.2";

    private final MethodHandle init;
    private final MethodHandle release;
    private final MethodHandle archAdd;
    private final MethodHandle attrSet;
    private final MethodHandle ruleAddArray;
    private final MethodHandle exportBpf;
    private final MethodHandle resolveName;
    private final String version;

    private LibSeccomp(SymbolLookup library) {
        init = handle(library, "seccomp_init", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        release = handle(library, "seccomp_release", FunctionDescriptor.ofVoid(ADDRESS));
        archAdd = handle(library, "seccomp_arch_add", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        attrSet = handle(library, "seccomp_attr_set", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
        ruleAddArray = handle(library, "seccomp_rule_add_array",
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
        exportBpf = handle(library, "seccomp_export_bpf", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        resolveName = handle(library, "seccomp_syscall_resolve_name_arch",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
        version = version(library);
    }

    /// The library; empty when the host has none.
    static Optional<LibSeccomp> find() {
        return Holder.FOUND;
    }

    private static final class Holder {
        static final Optional<LibSeccomp> FOUND = load(LIBRARY);
    }

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    static Optional<LibSeccomp> load(String name) {
        SymbolLookup library;
        try {
            library = SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException notThere) {
            return Optional.empty();
        }
        return Optional.of(new LibSeccomp(library));
    }

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor shape) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), shape);
    }

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    private static String version(SymbolLookup library) {
        var struct = ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(3, JAVA_INT));
        var call = Linker.nativeLinker().downcallHandle(library.findOrThrow("seccomp_version"),
                FunctionDescriptor.of(struct));
        try {
            var numbers = (MemorySegment) call.invokeExact();
            return numbers.get(JAVA_INT, 0) + "." + numbers.get(JAVA_INT, 4) + "." + numbers.get(JAVA_INT, 8);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    /// `2.5.4`.
    String version() {
        return version;
    }

    /// A new filter, to be given to [#release]; NULL for an action that is none.
    MemorySegment init(int defaultAction) {
        try {
            return (MemorySegment) init.invokeExact(defaultAction);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    void release(MemorySegment filter) {
        try {
            release.invokeExact(filter);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    int addArchitecture(MemorySegment filter, int architecture) {
        try {
            return (int) archAdd.invokeExact(filter, architecture);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    int set(MemorySegment filter, int attribute, int value) {
        try {
            return (int) attrSet.invokeExact(filter, attribute, value);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    int addRule(MemorySegment filter, int action, int syscall, int count, MemorySegment comparisons) {
        try {
            return (int) ruleAddArray.invokeExact(filter, action, syscall, count, comparisons);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    int export(MemorySegment filter, int fd) {
        try {
            return (int) exportBpf.invokeExact(filter, fd);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    /// The number of the call `name` (a C string) on `architecture`; [#UNKNOWN], or another negative number for one
    /// that only other architectures have.
    int resolve(int architecture, MemorySegment name) {
        try {
            return (int) resolveName.invokeExact(architecture, name);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }
}

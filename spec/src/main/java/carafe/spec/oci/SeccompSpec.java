package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A system-call filter: what happens to the calls listed, and to all others. Names are libseccomp's.
/// Source: runtime-spec 1.2 config-linux.md#seccomp.
public record SeccompSpec(
        String defaultAction,
        Optional<Long> defaultErrnoRet,
        List<String> architectures,
        List<String> flags,
        List<Syscalls> syscalls) {

    public SeccompSpec {
        architectures = List.copyOf(architectures);
        flags = List.copyOf(flags);
        syscalls = List.copyOf(syscalls);
    }

    /// One rule: `action` for each call named whose arguments all match.
    public record Syscalls(List<String> names, String action, Optional<Long> errnoRet, List<Arg> args) {
        public Syscalls {
            names = List.copyOf(names);
            args = List.copyOf(args);
        }
    }

    /// One comparison of argument `index` (0 to 5); `op` is `SCMP_CMP_EQ` and so on. `valueTwo` is the datum of
    /// `SCMP_CMP_MASKED_EQ`, whose `value` is the mask.
    public record Arg(int index, long value, long valueTwo, String op) {}

    /// Reads the section `seccomp`; also what a user hands in as a profile without Docker's conditions.
    public static SeccompSpec fromJson(Json.Obj json) throws EngineException.Invalid {
        var rules = new ArrayList<Syscalls>();
        for (var rule : json.objects("syscalls")) {
            rules.add(new Syscalls(
                    rule.texts("names"), rule.text("action"), rule.number("errnoRet"), args(rule.objects("args"))));
        }
        return new SeccompSpec(
                json.text("defaultAction"),
                json.number("defaultErrnoRet"),
                json.texts("architectures"),
                json.texts("flags"),
                rules);
    }

    private static List<Arg> args(List<Json.Obj> objects) throws EngineException.Invalid {
        var args = new ArrayList<Arg>();
        for (var arg : objects) {
            long index = arg.number("index", -1);
            if (index < 0 || index > 5) {
                throw new EngineException.Invalid("seccomp: argument index must be 0 to 5, not " + index);
            }
            args.add(new Arg((int) index, arg.number("value", 0), arg.number("valueTwo", 0), arg.text("op")));
        }
        return args;
    }

    /// This filter as the section `seccomp`.
    public Json.Obj toJson() {
        return new Fields()
                .put("defaultAction", defaultAction)
                .put("defaultErrnoRet", defaultErrnoRet)
                .put("architectures", architectures)
                .put("flags", flags)
                .putAll("syscalls", syscalls, SeccompSpec::json)
                .build();
    }

    private static Json json(Syscalls rule) {
        return new Fields()
                .put("names", rule.names)
                .put("action", rule.action)
                .put("errnoRet", rule.errnoRet)
                .putAll("args", rule.args, SeccompSpec::json)
                .build();
    }

    private static Json json(Arg arg) {
        return Json.object()
                .put("index", arg.index)
                .put("value", arg.value)
                .put("valueTwo", arg.valueTwo)
                .put("op", arg.op)
                .build();
    }
}

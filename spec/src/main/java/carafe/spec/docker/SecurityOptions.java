package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The `SecurityOpt` list of a host configuration, understood. An empty `seccomp` is the default profile.
public record SecurityOptions(
        boolean noNewPrivileges,
        Optional<Seccomp> seccomp,
        Optional<String> appArmor,
        boolean unmaskedPaths,
        List<String> labels) {

    /// A chosen filter: none at all, or a profile in Docker's JSON form.
    public sealed interface Seccomp {
        /// No filter.
        record Unconfined() implements Seccomp {}

        /// The filter that `profile` describes.
        record Profile(Json.Obj profile) implements Seccomp {}
    }

    public SecurityOptions {
        labels = List.copyOf(labels);
    }

    /// Reads options of the forms `no-new-privileges[=true]`, `seccomp=unconfined|builtin|{…}`, `apparmor=name`,
    /// `label=…`, `systempaths=unconfined`; `:` separates like `=`, as old clients write it.
    static SecurityOptions parse(List<String> options) throws EngineException.Invalid {
        boolean noNewPrivileges = false;
        boolean unmasked = false;
        Optional<Seccomp> seccomp = Optional.empty();
        Optional<String> appArmor = Optional.empty();
        var labels = new ArrayList<String>();
        for (var option : options) {
            if (option.equals("no-new-privileges")) {
                noNewPrivileges = true;
                continue;
            }
            if (option.equals("writable-cgroups") || option.equals("disable")) {
                throw invalid(option);
            }
            int equals = option.indexOf('=');
            int split = equals > 0 ? equals : option.indexOf(':');
            if (split <= 0) {
                throw invalid(option);
            }
            String value = option.substring(split + 1);
            switch (option.substring(0, split)) {
                case "no-new-privileges" -> noNewPrivileges = switch (value) {
                    case "true", "1" -> true;
                    case "false", "0" -> false;
                    default -> throw invalid(option);
                };
                case "seccomp" -> seccomp = seccomp(value);
                case "apparmor" -> appArmor = Optional.of(value);
                case "label" -> labels.add(value);
                case "systempaths" -> {
                    if (!value.equals("unconfined")) {
                        throw invalid(option);
                    }
                    unmasked = true;
                }
                default -> throw invalid(option);
            }
        }
        return new SecurityOptions(noNewPrivileges, seccomp, appArmor, unmasked, labels);
    }

    private static Optional<Seccomp> seccomp(String value) throws EngineException.Invalid {
        if (value.equals("unconfined")) {
            return Optional.of(new Seccomp.Unconfined());
        }
        if (value.equals("builtin") || value.isEmpty()) {
            return Optional.empty();
        }
        try {
            if (Json.parse(value) instanceof Json.Obj profile) {
                return Optional.of(new Seccomp.Profile(profile));
            }
        } catch (EngineException.Invalid e) {
            throw new EngineException.Invalid("Decoding seccomp profile failed: " + e.getMessage());
        }
        throw new EngineException.Invalid("Decoding seccomp profile failed: not a JSON object");
    }

    private static EngineException.Invalid invalid(String option) {
        String shown = option.length() > 80 ? option.substring(0, 80) + "…" : option;
        return new EngineException.Invalid("invalid --security-opt: \"" + shown + "\"");
    }
}

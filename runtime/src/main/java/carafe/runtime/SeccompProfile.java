package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.SeccompSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Docker's form of a system-call profile: rules with conditions on architecture, kernel and capabilities. Resolving
/// it for one container gives the OCI form without conditions. Names are amd64 as the kernel here is asked for it;
/// `carafe/runtime/seccomp-default.json` is the data of moby/profiles (Apache-2.0), unchanged.
public final class SeccompProfile {

    private static final Map<String, String> GO_ARCH = Map.of("amd64", "amd64", "x86_64", "amd64", "aarch64", "arm64");
    private static final Map<String, String> SCMP_ARCH = Map.of(
            "amd64", "SCMP_ARCH_X86_64", "x86_64", "SCMP_ARCH_X86_64", "aarch64", "SCMP_ARCH_AARCH64");

    private SeccompProfile() {}

    /// The profile of a container that names none.
    public static Json.Obj standard() {
        try (var in = SeccompProfile.class.getResourceAsStream("seccomp-default.json")) {
            if (in == null) {
                throw new AssertionError("seccomp-default.json is not on the class path");
            }
            return Json.parseObject(in.readAllBytes());
        } catch (IOException | EngineException.Invalid e) {
            throw new AssertionError(e);
        }
    }

    /// `profile` for a container with these capabilities on this machine's architecture and kernel.
    public static SeccompSpec resolve(Json.Obj profile, Collection<String> capabilities)
            throws EngineException.Invalid {
        String arch = System.getProperty("os.arch", "");
        var conditions = new Conditions(
                GO_ARCH.getOrDefault(arch, arch), System.getProperty("os.version", ""), capabilities);
        var rules = new ArrayList<SeccompSpec.Syscalls>();
        var plain = SeccompSpec.fromJson(profile);
        var objects = profile.objects("syscalls");
        for (int i = 0; i < objects.size(); i++) {
            if (conditions.apply(objects.get(i))) {
                var names = new ArrayList<>(plain.syscalls().get(i).names());
                if (names.isEmpty()) {
                    names.add(objects.get(i).text("name"));
                }
                var rule = plain.syscalls().get(i);
                rules.add(new SeccompSpec.Syscalls(names, rule.action(), rule.errnoRet(), rule.args()));
            }
        }
        return new SeccompSpec(
                plain.defaultAction(), plain.defaultErrnoRet(), architectures(profile, arch), plain.flags(), rules);
    }

    private static List<String> architectures(Json.Obj profile, String arch) throws EngineException.Invalid {
        var listed = profile.texts("architectures");
        if (!listed.isEmpty()) {
            return listed;
        }
        var own = Optional.ofNullable(SCMP_ARCH.get(arch));
        for (var entry : profile.objects("archMap")) {
            if (own.isPresent() && entry.text("architecture").equals(own.get())) {
                var all = new ArrayList<String>();
                all.add(own.get());
                all.addAll(entry.texts("subArchitectures"));
                return all;
            }
        }
        return List.of();
    }

    /// What the conditions of a rule are compared with.
    private record Conditions(String arch, String kernel, Collection<String> capabilities) {

        boolean apply(Json.Obj rule) throws EngineException.Invalid {
            var includes = rule.object("includes");
            var excludes = rule.object("excludes");
            var arches = includes.texts("arches");
            if (!arches.isEmpty() && !arches.contains(arch) || excludes.texts("arches").contains(arch)) {
                return false;
            }
            if (!capabilities.containsAll(includes.texts("caps"))) {
                return false;
            }
            if (excludes.texts("caps").stream().anyMatch(capabilities::contains)) {
                return false;
            }
            String oldest = includes.text("minKernel");
            if (!oldest.isEmpty() && !atLeast(oldest)) {
                return false;
            }
            String first = excludes.text("minKernel");
            return first.isEmpty() || !atLeast(first);
        }

        private boolean atLeast(String wanted) throws EngineException.Invalid {
            int[] want = version(wanted);
            int[] have = version(kernel);
            return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1];
        }

        private static int[] version(String text) throws EngineException.Invalid {
            String[] parts = text.split("[^0-9]", 3);
            try {
                return new int[] {Integer.parseInt(parts[0]), parts.length > 1 ? Integer.parseInt(parts[1]) : 0};
            } catch (NumberFormatException e) {
                throw new EngineException.Invalid("seccomp: \"" + text + "\" is no kernel version");
            }
        }
    }
}

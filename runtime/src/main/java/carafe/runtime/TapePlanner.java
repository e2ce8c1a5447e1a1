package carafe.runtime;

import carafe.kernel.Tape;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import java.util.List;
import java.util.Set;

/// Writes the tape of a container's start: a pure function of the bundle and of what is known about host and image.
/// The order of the parts is the security argument: nothing of the container runs before the last step, mounts come by
/// descriptor, /proc is written before it can be covered, the filter is the last thing before the final capabilities.
final class TapePlanner {

    private TapePlanner() {}

    /// A finished tape, the process it makes, and what had to be changed on this host.
    record Planned(Tape tape, ProcessPlan process, List<String> warnings) {
        Planned {
            warnings = List.copyOf(warnings);
        }
    }

    /// The configuration has passed [Checks]; `filter` is the compiled system-call filter, empty for none.
    static Planned plan(Bundle bundle, HostFacts host, ImageFacts image, Filter filter) throws StartFailure {
        var spec = bundle.spec();
        var draft = new TapeDraft();
        boolean ownUsers = spec.linux().namespace(NamespaceType.USER).isPresent();
        var process = ProcessPlan.of(bundle, ownUsers ? host.insideUserNamespace() : host, image, filter);
        var mounts = MountSteps.plan(spec, host, image);

        NamespaceSteps.create(draft, spec.linux(), host);
        NamespaceSteps.session(draft, bundle.id());
        if (ownUsers) { // the kernel gives a procfs and a sysfs only to whom it can see that the host hides none of them
            SettingSteps.procfs(draft, spec, mounts, process);
            mounts.makeSysfs(draft);
        }
        RootSteps.enter(draft, spec);
        if (!ownUsers) {
            SettingSteps.procfs(draft, spec, mounts, process);
        }
        mounts.write(draft);
        HiddenPathSteps.write(draft, spec.linux(), host, mounts);
        SettingSteps.names(draft, spec);
        if (spec.linux().namespace(NamespaceType.NETWORK).filter(n -> n.path().isEmpty()).isPresent()) {
            SettingSteps.loopback(draft);
        }
        StdioSteps.write(draft, process, spec.linux().ids());
        IdentitySteps.write(draft, process);
        ProgramSteps.write(draft, process);
        return new Planned(draft.tape().build(), process, draft.warnings());
    }

    /// The tape of a further process in a container that has `namespaces` of its own, and these ids.
    static Planned planExec(String id, ProcessPlan process, Set<NamespaceType> namespaces, IdMaps ids, HostFacts host)
            throws StartFailure {
        var draft = new TapeDraft();
        if (!ids.none()) { // inside, where parts of /proc are hidden, the kernel gives nobody a procfs that shows them
            SettingSteps.privateProcfs(draft, process);
        }
        NamespaceSteps.joinAll(draft, namespaces, host);
        NamespaceSteps.session(draft, id);
        if (ids.none()) {
            SettingSteps.privateProcfs(draft, process);
        }
        StdioSteps.write(draft, process, ids);
        IdentitySteps.write(draft, process);
        ProgramSteps.write(draft, process);
        return new Planned(draft.tape().build(), process, draft.warnings());
    }
}

package carafe.build.plan;

import carafe.spec.oci.Healthcheck;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// An image's configuration while a stage changes it.
final class ConfigDraft {

    String user;
    String directory;
    String stopSignal;
    String author;
    List<String> entrypoint;
    List<String> command;
    List<String> shell;
    boolean argsEscaped;
    Optional<Healthcheck> healthcheck;
    final Map<String, String> environment = new LinkedHashMap<>();
    final Map<String, String> labels = new LinkedHashMap<>();
    final Set<String> ports;
    final Set<String> volumes;
    final List<String> triggers = new ArrayList<>();

    /// Begins with what `base` says; its triggers are for the stage itself and not kept.
    ConfigDraft(RunConfig base, String author) {
        user = base.user();
        directory = base.workingDir();
        stopSignal = base.stopSignal();
        entrypoint = base.entrypoint();
        command = base.cmd();
        shell = base.shell();
        argsEscaped = base.argsEscaped();
        healthcheck = base.healthcheck();
        for (String entry : base.env()) {
            int equals = entry.indexOf('=');
            environment.put(equals < 0 ? entry : entry.substring(0, equals), equals < 0 ? "" : entry.substring(equals + 1));
        }
        labels.putAll(base.labels());
        ports = new TreeSet<>(base.exposedPorts());
        volumes = new TreeSet<>(base.volumes());
        this.author = author;
    }

    /// `NAME=value` for every variable.
    List<String> entries() {
        var entries = new ArrayList<String>();
        environment.forEach((name, value) -> entries.add(name + "=" + value));
        return entries;
    }

    RunConfig finish() {
        return new RunConfig(user, directory, entries(), entrypoint, command, ports, volumes, labels, stopSignal,
                healthcheck, triggers, shell, argsEscaped);
    }
}

package carafe.engine;

import java.util.List;

/// The processes of a container as `ps` on the host prints them.
public record ProcessTable(List<String> titles, List<List<String>> processes) {
    public ProcessTable {
        titles = List.copyOf(titles);
        processes = processes.stream().map(List::copyOf).toList();
    }
}

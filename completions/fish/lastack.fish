# SPDX-License-Identifier: BSD-2-Clause
# fish completion for lastack(1). Written by "make completions": do not edit.

function __fish_lastack_ports
	string match -rg '^(\S+)\s+\d+/tcp' </etc/services
end

# How many parts of the target stand before the word that is typed.
function __fish_lastack_operands
	set -l count 0
	set -l awaits 0
	for word in (commandline -opc)[2..-1]
		if test $awaits = 1
			set awaits 0
			continue
		end
		if string match -qr -- '^(-H|-p|--hostname|--port)' $word
			set count (math $count + 1)
		end
		if contains -- $word --hostname --port --source --interface --mark --tos --send --send-hex --send-file --proxy-protocol --proxy-source --proxy-destination --expect --expect-hex --expect-regex --not-expect --quit --expect-close --close-state --maxbytes --idle --drain --close --timeout --connect-timeout --delay --warning --critical --warning-connect --critical-connect --warning-first-byte --critical-first-byte --warning-close --critical-close --format --write-out --output-report --output --color
			set awaits 1
		else if string match -qr -- '^-[^-]*[Hpseqmtdwcfo]$' $word
			set awaits 1
		else if not string match -q -- '-*' $word
			set count (math $count + 1)
		end
	end
	echo $count
end

function __fish_lastack_targets
	set -l typed (commandline -ct)
	if string match -q 'unix:*' -- $typed
		printf 'unix:%s\n' (__fish_complete_path (string sub -s 6 -- $typed))
	else
		__fish_print_hostnames
	end
end

complete -c lastack -f
complete -c lastack -n 'test (__fish_lastack_operands) = 0' -a '(__fish_lastack_targets)'
complete -c lastack -n 'test (__fish_lastack_operands) = 1' -a '(__fish_lastack_ports)'
complete -c lastack -s H -l hostname -x -a '(__fish_print_hostnames)' -d 'the target, instead of the operands'
complete -c lastack -s p -l port -x -a '(__fish_lastack_ports)' -d 'its port: a number or a service name'
complete -c lastack -s 4 -l ipv4 -d 'only IPv4'
complete -c lastack -s 6 -l ipv6 -d 'only IPv6'
complete -c lastack -s n -l numeric -d 'HOST is an address: ask no resolver'
complete -c lastack -l all-addresses -d 'probe every address of HOST'
complete -c lastack -l source -x -d 'our address, our port, or both'
complete -c lastack -l interface -x -a '(__fish_print_interfaces)' -d 'the interface to leave by'
complete -c lastack -l mark -x -d 'the packets\' mark (SO_MARK)'
complete -c lastack -l tos -x -a 'EF AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7' -d 'their type of service: a number, AF21, EF, ...'
complete -c lastack -s s -l send -x -d 'payload; \\r \\n \\t \\\\ \\0 \\xHH stand for bytes'
complete -c lastack -s R -l raw -d '-s and -e as they are: no escapes'
complete -c lastack -l send-hex -x -d 'payload in hexadecimal'
complete -c lastack -l send-file -r -F -d 'payload from FILE; - is standard input'
complete -c lastack -l proxy-protocol -x -a 'v1 v2 local' -d 'a PROXY header first: v1, v2 or local'
complete -c lastack -l proxy-source -x -d '... from there (our own address)'
complete -c lastack -l proxy-destination -x -d '... to there (the target)'
complete -c lastack -s N -l half-close -d 'after the payload send FIN, then read on'
complete -c lastack -s e -l expect -x -d 'the response must contain it; "": any byte'
complete -c lastack -l expect-hex -x -d '... these bytes, in hexadecimal'
complete -c lastack -l expect-regex -x -d '... a match of it'
complete -c lastack -l not-expect -x -d 'the response must not contain it'
complete -c lastack -s A -l all -d 'all expectations must be met, not any'
complete -c lastack -l then -d 'end one exchange and begin the next'
complete -c lastack -s q -l quit -x -d 'a goodbye, sent before the close'
complete -c lastack -l expect-close -x -a 'fin rst open' -d 'the peer must end by fin, rst or open'
complete -c lastack -l close-state -x -a 'ok warn crit' -d 'where not: ok, warn or crit, in nagios'
complete -c lastack -s m -l maxbytes -x -d 'the response is complete after N bytes'
complete -c lastack -l idle -x -d '... after a silence of TIME (1s)'
complete -c lastack -l drain -x -d 'then wait for the peer\'s FIN (100ms)'
complete -c lastack -l close -x -a 'auto fin rst' -d 'how to end it: auto, fin or rst (auto)'
complete -c lastack -l fastopen -a 'try require' -d 'TCP Fast Open: try or require it (try)'
complete -c lastack -s F -d 'TCP Fast Open: try or require it (try)'
complete -c lastack -s z -l connect-only -d 'connect and end, exchange nothing'
complete -c lastack -s t -l timeout -x -d 'a deadline for everything (10s); TIME:STATE'
complete -c lastack -l connect-timeout -x -d 'for each address (none)'
complete -c lastack -s d -l delay -x -d 'pause between payload and reading (0)'
complete -c lastack -s w -l warning -x -d 'on the response time in seconds'
complete -c lastack -s c -l critical -x -d 'likewise, and told before a warning'
complete -c lastack -l warning-connect -x -d 'on the connect phase'
complete -c lastack -l critical-connect -x -d 'likewise'
complete -c lastack -l warning-first-byte -x -d 'on the wait for a first byte'
complete -c lastack -l critical-first-byte -x -d 'likewise'
complete -c lastack -l warning-close -x -d 'on the close phase'
complete -c lastack -l critical-close -x -d 'likewise'
complete -c lastack -s f -l format -x -a 'text json nagios prometheus' -d 'text, json, nagios or prometheus (text)'
complete -c lastack -l write-out -x -d 'report just this; %{close.peer}: a field'
complete -c lastack -l output-report -r -F -d 'the report to FILE, replaced at once'
complete -c lastack -s o -l output -r -F -d 'the response to FILE; - is standard output'
complete -c lastack -s Q -l quiet -d 'no report, only the exit status'
complete -c lastack -s j -l jail -d 'never show what the server said'
complete -c lastack -s v -l verbose -d 'events, addresses, the response'
complete -c lastack -l color -x -a 'auto always never' -d 'auto, always or never (auto)'
complete -c lastack -s h -l help -d 'print this'
complete -c lastack -s V -l version -d 'print the version'

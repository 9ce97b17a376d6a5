#!/usr/bin/perl
# Verifies an export of the history (tiendo checkpoint export FILE) with nothing but Perl itself:
#   perl verify.pl FILE > checkpoint.txt
# Every event is hashed again, every hash goes into the tree of RFC 6962, and the root must be the
# one of the checkpoint. docs/history.md says how openssl verifies the checkpoint's signature.
use strict; use warnings;
use Digest::SHA qw(sha256 sha256_hex); use MIME::Base64 qw(encode_base64);

my ($size, @peaks, $note) = (0);
while (<>) {
    if (/^\{"checkpoint":"(.*)"\}$/) { ($note = $1) =~ s/\\n/\n/g; next }
    my ($digest, $index, $event) = /^\{"digest":"(\w+)","index":(\d+),"event":(\{.*\})\}$/
        or die "line $.: not an event\n";
    die "line $.: event $size expected, not $index\n" if $index != $size;
    die "line $.: the event was changed\n" if sha256_hex("\0$event") ne $digest;
    my $hash = pack "H*", $digest;
    for (my $n = $size++; $n & 1; $n >>= 1) { $hash = sha256("\1" . pop(@peaks) . $hash) }
    push @peaks, $hash;
}
my $root = @peaks ? pop @peaks : sha256("");
$root = sha256("\1" . pop(@peaks) . $root) while @peaks;
my (undef, $signed_size, $signed_root) = split /\n/, $note // die "no checkpoint\n";
die "the checkpoint is of $signed_size events, here are $size\n" if $signed_size != $size;
die "the root is not the one that was signed\n" if encode_base64($root, "") ne $signed_root;
print $note; print STDERR "$size events, as signed\n";

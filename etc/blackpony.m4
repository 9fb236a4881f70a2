PUSHDIVERT(-1)
#
# A sendmail mailer that encrypts where the other host supports it.  Copy this file to sendmail's
# cf/mailer, and put MAILER(`blackpony') after MAILER(`smtp'), because it uses the rulesets of that
# mailer.
#
#	BLACKPONY_MAILER_PATH	the program
#	BLACKPONY_MAILER_USER	user:group that it runs as: the owner of the key cache
#	BLACKPONY_MAILER_ARGS	its arguments.  Options end at --, because $h may begin with a hyphen.
#				There is no $u in them, so sendmail speaks SMTP to the program.
#	BLACKPONY_MAILER_FLAGS	S: start it as root; it drops root.  No 8: 8BITMIME is negotiated.
#
# sendmail starts the program for each message.  Messages to the same host within a few seconds go
# over one connection (keep-open in blackpony.conf).  If hosts are far away and queues are long,
# several queue runners send side by side:
#
#	QUEUE_GROUP(`mqueue', `P=/var/spool/mqueue, R=10')dnl
#
ifdef(`BLACKPONY_MAILER_PATH',, `define(`BLACKPONY_MAILER_PATH', `/usr/libexec/blackpony')')
ifdef(`BLACKPONY_MAILER_USER',, `define(`BLACKPONY_MAILER_USER', `blackpony:blackpony')')
ifdef(`BLACKPONY_MAILER_ARGS',, `define(`BLACKPONY_MAILER_ARGS', `blackpony -- $h')')
_DEFIFNOT(`BLACKPONY_MAILER_FLAGS', `mDFMuXaS')
POPDIVERT

##########################################
###   blackpony Mailer specification   ###
##########################################

Mblackpony,	P=BLACKPONY_MAILER_PATH, F=_MODMF_(BLACKPONY_MAILER_FLAGS, `BLACKPONY'), S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP,
		E=\r\n, L=990, T=DNS/RFC822/SMTP, U=BLACKPONY_MAILER_USER,
		A=BLACKPONY_MAILER_ARGS

PUSHDIVERT(-1)
#
# A mailer that encrypts where the other end can: MAILER(`blackpony') behind MAILER(`smtp'), whose
# rulesets it uses.  Belongs into sendmail's cf/mailer.
#
#	BLACKPONY_MAILER_PATH	the program
#	BLACKPONY_MAILER_USER	user:group it runs as: the owner of the key cache
#	BLACKPONY_MAILER_ARGS	its arguments.  Options end at the --, since $h may begin with a hyphen.
#				Without $u in them, sendmail speaks SMTP to it.
#	BLACKPONY_MAILER_FLAGS	S: it is started as root and gives that up.  No 8: 8BITMIME is negotiated.
#
# Each message has a connection of its own, for sendmail keeps none to a program.  Where hosts are far away and queues
# long, several queue runners at a time make up for the round trips:
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

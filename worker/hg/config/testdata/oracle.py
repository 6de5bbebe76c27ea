# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks Mercurial itself what random configurations mean. Run by the Python of
# an installed hg: oracle.py SEED COUNT DIRECTORY. Each case is a directory
# with rc files and a repository's hgrc; one JSON object a line says how it was
# loaded and what came of it. Bytes are written as ISO-8859-1.
import sys,json,random,os,shutil,io
seed=int(sys.argv[1]); n=int(sys.argv[2]); base=sys.argv[3]
from mercurial import ui as uimod, encoding, error, dispatch, hg, extensions
from mercurial.utils import procutil
try:
    from mercurial.main_script import options as O
    parseconfig=O.parse_config_opts
    from mercurial.configuration import rcutil
    v72=True
except ImportError:
    parseconfig=dispatch._parseconfig; v72=False
random.seed(seed)
def L(b): return b.decode('latin1')
R=random.random
def choose(*a): return random.choice(a)
secs=['ui','paths','alias','a','b.c','diff','defaults','command-templates','revsetalias','trusted','extensions','commands','A']
names={'ui':['username','user','verbose','quiet','debug','editor','logtemplate','slash','style','tweakdefaults','report_untrusted','graphnodetemplate','rollback','message-output'],'paths':['default','x','x:pushrev','y'],'trusted':['users','groups'],'command-templates':['log','graphnode']}
vals=['1','0','yes','x','a b','%%','a%%b','~/z','$HOME/q','"q','','true','False','foo,bar','*','root','[x]','=','; no','# no','é','\t tab ','a=b','stdio','x\x0by']
def nm(s): return choose(*(names.get(s,[])+['n1','n2','a b','x.y','x:y']))
def line(s):
    r=R()
    if r<.12: return '['+choose(*secs)+']'+choose('','','',' ',' junk',']')
    if r<.6:
        x=nm(s[0]); v=choose(*vals)
        if s[0]=='ui' and x in('verbose','quiet','debug','report_untrusted','tweakdefaults','rollback') and R()<.99: v=choose('1','0','yes','off','True','never')
        if x=='message-output' and R()<.9: v='stdio'
        if x=='debug': v='0'
        return x+choose('=',' = ','\t=','= ')+v
    if r<.64: return choose(' ','\t','  ')+choose(*vals)
    if r<.76: return choose('# c','; c',' # c','','  ','\t')
    if r<.84: return '%unset '+nm(s[0])+choose('',' ',' x')
    if r<.92: return '%include '+choose('f0','f1','d/f2','missing','$HOME/f0','~/f1','../f0','d','f0/x','${NOPE}x','./f1')
    if r<.921: return choose('bad','=x','%include','%unset','[x','[]','[[a]','\ufeffx=1',' bad','%frob a','  = q')
    return choose(*secs)+'=1'
def text(depth):
    out=[];s=['ui']
    if R()<.1: out.append('\ufeff')
    k=random.randrange(0,14)
    t=''
    if R()<.95: s[0]=choose(*secs); t='['+s[0]+']\n'
    for _ in range(k):
        l=line(s)
        if l.startswith('[') and ']' in l: s[0]=l[1:l.index(']')]
        if depth==0 and l.startswith('%include'): continue
        t+=l+choose('\n','\n','\n','\n','\r\n','\r')
    if R()<.2: t=t.rstrip('\n')
    if R()<.05: t='\ufeff'+t
    return t
for i in range(n):
    d=os.path.join(base,str(i)); shutil.rmtree(d,ignore_errors=True); os.makedirs(d+'/d'); os.makedirs(d+'/repo/.hg'); 
    W=lambda p,t: open(os.path.join(d,p),'w',newline='').write(t)
    W('f1',text(0)); W('f0',text(1).replace('f0','f1').replace('f2','f1').replace('~','~')); W('d/f2',text(0)); W('rc',text(2)); W('d/z.rc',text(1).replace('f0','f1').replace('f2','f1'));W('d/a.rc',text(0)); W('d/n.txt',text(0))
    W('repo/.hg/hgrc',text(1).replace('f0','f1').replace('f2','f1')); 
    if R()<.3: W('repo/.hg/hgrc-not-shared',text(0))
    uid=choose(0,0,1000,54321)
    if uid and os.geteuid() == 0: os.chown(d+'/repo/.hg/hgrc',uid,uid)
    env={'HOME':d,'HGRCPATH':choose('rc','rc:d','./rc',d+'/rc','~/rc:$HOME/d','',':rc:','nope:rc','d','$NOPE/rc','d/f2:rc')}
    for k,v in (('EDITOR','ed'),('VISUAL','vi'),('PAGER','less'),('HGPLAIN',choose('','1','+strictflags')),('HGPLAINEXCEPT',choose('','alias','alias,revsetalias')),('HGRCSKIPREPO','1')):
        if R()<.15: env[k]=v
    ov=[]
    for _ in range(choose(0,0,1,2,4)):
        s=choose(*secs); 
        if R()<.04: ov.append(choose('x','x=1','.x=1','x.=1','=','a.b'))
        else: ov.append(s+'.'+choose(*(names.get(s,['n1'])))+choose('=',' = ')+choose('1','0','yes','x','stdio') )
    flags=[]
    if R()<.2: flags.append(choose('verbose','quiet'))
    os.chdir(d)
    encoding.environ.clear() if hasattr(encoding.environ,'clear') else None
    for k in list(os.environ): del os.environ[k]
    for k,v in env.items(): os.environ[k]=v
    err=io.BytesIO()
    procutil.stderr=err
    uimod.procutil.stderr=err
    res={}
    def dump(u):
        o=[]
        for un in (False,True):
            for s,nn,v in u.walkconfig(untrusted=un):
                o.append([L(s),L(nn),L(v),L(u.configsource(s,nn,un))])
            o.append(['--','','',''])
        return o
    try:
        u=uimod.ui.load()
        parseconfig(u,[x.encode() for x in ov])
        path=(d+'/repo').encode()
        lui=u.copy()
        if b'HGRCSKIPREPO' not in encoding.environ:
            lui.readconfig(os.path.join(path,b'.hg',b'hgrc'),path)
            lui.readconfig(os.path.join(path,b'.hg',b'hgrc-not-shared'),path)
        for f in flags:
            for q in ('verbose','debug','quiet'): lui.setconfig(b'ui',q.encode(),str(q==f).encode(),b'--'+q.encode())
        res['dump']=dump(lui); res['flags']=[lui.verbose,lui.quiet,lui.debugflag]
        res['alias']=[L(lui.config(b'ui',b'username') or b'-'),L(lui.config(b'command-templates',b'log') or b'-'),L(lui.config(b'command-templates',b'graphnode') or b'-')]
        res['lists']=[[L(x) for x in lui.configlist(b'a',k)] for k in (b'n1',b'n2',b'x.y')]
        rt=[]
        for nn in (b'default',b'x',b'y'):
            try: 
                ps=lui.paths.get(nn); rt.append('-' if ps is None else L(ps[0].rawloc))
            except Exception as e: rt.append('EXC')
        res['paths']=rt
    except error.Abort as e:
        res['error']=L(e.format())
    except Exception as e:
        res['crash']=repr(e)
    res['stderr']=L(err.getvalue())
    sys.__stdout__.write('\n'+json.dumps({'Dir':d,'Env':env,'Over':[L(x.encode()) for x in ov],'Flags':flags,'V72':v72,'Want':res})+'\n')
